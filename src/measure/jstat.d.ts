// The part of jstat that is used here: the package has no types of its own.
declare module 'jstat' {
  /** Student's t distribution. */
  interface Student {
    cdf(x: number, freedom: number): number;
    inv(p: number, freedom: number): number;
  }
  const module: { readonly jStat: { readonly studentt: Student } };
  export default module;
}
