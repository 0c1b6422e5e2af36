// Types of what src/ takes from prebuilt.mjs.

/** An addon that fits this machine with the folder of its LibTorch, undefined where that is to be fetched; else why none fits. */
export function prebuilt(): { readonly file: string; readonly torch?: string } | { readonly why: string };

/** Fetches LibTorch into the user's cache and returns its folder. Throws an Error with one line where it cannot. */
export function fetchLibtorch(): string;
