// The looks of the report: colours for light and dark, layout from phone to desk, colours of step scores.
import { Markup } from './html.js';

type Rgb = readonly [number, number, number];

/** Red, yellow and bluish green, which stay apart for colour-blind readers. */
const SCORE_STOPS: readonly Rgb[] = [
  [209, 62, 38],
  [232, 190, 40],
  [22, 155, 112],
];

/** Colour of a score of 0..1. */
function scoreColour(score: number): string {
  const place = score * (SCORE_STOPS.length - 1);
  const below = Math.min(Math.floor(place), SCORE_STOPS.length - 2);
  const [from, to] = [SCORE_STOPS[below] as Rgb, SCORE_STOPS[below + 1] as Rgb];
  return `rgb(${from.map((channel, i) => Math.round(channel + ((to[i] as number) - channel) * (place - below))).join(' ')})`;
}

const scores = Array.from({ length: 11 }, (_, tenth) => `.q${tenth}{--q:${scoreColour(tenth / 10)}}`).join('');

const colours = `
:root{color-scheme:light dark;
--bg:#f5f6f8;--panel:#fff;--ink:#1c2128;--muted:#59636e;--rule:#dde2e8;--link:#0a58b8;
--good:#0b6e4f;--bad:#b3261e;--keep:#0a58b8;--warn-bg:#fff4d6;--warn-ink:#5a4300;--strong:55%;
--s0:#c3cad2;--s1:#0a6bc2;--s2:#b85c00;--s3:#00796b;
--t0:#2a1a9a;--t1:#5b12a8;--t2:#8613a7;--t3:#ab2494;--t4:#c03a74;--t5:#c4434a;--t6:#b9521c;--t7:#8f6000}
@media (prefers-color-scheme:dark){:root{
--bg:#0f1317;--panel:#181d23;--ink:#e6e9ed;--muted:#9ba6b2;--rule:#303943;--link:#7cb8ff;
--good:#5fd3a6;--bad:#ff8a80;--keep:#7cb8ff;--warn-bg:#3a2f10;--warn-ink:#ffe3a0;--strong:40%;
--s0:#4a5560;--s1:#5aa9ff;--s2:#ffab5c;--s3:#3fc9b0;
--t0:#8f8cff;--t1:#b07bff;--t2:#cf72f0;--t3:#e86fca;--t4:#f77fa0;--t5:#fd9a78;--t6:#fdb95a;--t7:#f4df4a}}
:root{--k1:color-mix(in srgb,var(--s1) 45%,var(--panel));--k2:var(--s1);--k3:color-mix(in srgb,var(--s1) 70%,var(--ink));--k4:color-mix(in srgb,var(--s1) 40%,var(--ink))}
`;

const layout = `
*{box-sizing:border-box}
html{scroll-padding-top:3.5rem}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
.top,main{max-width:72rem;margin:0 auto;padding:0 1rem}
.top{padding-top:1.5rem}.top p{margin:0;color:var(--muted)}
h1{margin:0 0 .5rem;font-size:1.8rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 .75rem;font-size:1.35rem}h3{margin:1.25rem 0 .5rem;font-size:1.05rem}
nav{position:sticky;top:0;z-index:1;background:var(--bg);border-bottom:1px solid var(--rule)}
nav ul{display:flex;gap:.25rem 1.1rem;max-width:72rem;margin:0 auto;padding:.6rem 1rem;list-style:none;overflow-x:auto;white-space:nowrap}
a{color:var(--link)}nav a{text-decoration:none}nav a:hover,nav a:focus{text-decoration:underline}
section{margin:1.25rem 0;padding:1.25rem;background:var(--panel);border:1px solid var(--rule);border-radius:.6rem}
.big{margin:.25rem 0;font-size:2.4rem;font-weight:650;line-height:1.2}
.big b{font-size:1.3rem;white-space:nowrap}.up{color:var(--good)}.down{color:var(--bad)}.even{color:var(--muted)}
.note,figcaption span{color:var(--muted)}.note{margin:0 0 1rem;max-width:52rem}
.warning{padding:.6rem .9rem;border-radius:.4rem;background:var(--warn-bg);color:var(--warn-ink)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.75rem 1rem;margin:0 0 1rem}
.facts div{min-width:0}.facts dt{font-size:.85rem;color:var(--muted)}.facts dd{margin:0;font-weight:600;overflow-wrap:anywhere}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}
pre{overflow:auto;max-height:26rem;padding:.8rem;background:var(--bg);border-radius:.4rem;font-size:.85rem}
code{font-size:.9em;overflow-wrap:anywhere}
`;

const figures = `
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.25rem}.small{grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr))}
figure{margin:0;min-width:0;max-width:35rem}
.grid>*{min-width:0;grid-row:span 3}.grid>figure{display:grid;grid-template-rows:subgrid;gap:0}.grid>figure>*{min-width:0}
figcaption{align-self:start}figcaption span{display:block;font-size:.88rem}
svg{display:block;width:100%;height:auto;margin-top:.25rem}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.3rem 0 0;padding:0;list-style:none;font-size:.88rem}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px;border:1px solid var(--muted)}
.key{margin:0 0 1rem}
.scroll{overflow-x:auto;margin:0 0 .8rem}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
.caption{margin:.8rem 0 .3rem;color:var(--muted);font-size:.88rem}
th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child{text-align:left}thead th{vertical-align:bottom;white-space:normal}tbody th{font-weight:500}
.heat{display:block;margin:-.15rem -.4rem;padding:.15rem .4rem;border-radius:.25rem;background:color-mix(in srgb,var(--s1) calc(var(--depth)*.45),transparent)}
.heat.chosen{outline:2px solid var(--ink)}
`;

/** What scrolls has a shadow at each edge behind which there is more; a cover that moves with the content hides it at the ends. */
const edges = `
.scroll,.steps{--under:var(--panel)}nav ul,pre{--under:var(--bg)}
.scroll,nav ul,pre,.steps{--edge:color-mix(in srgb,var(--ink) 28%,transparent);background-color:var(--under);background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}
.scroll,nav ul{background-position:-2px -2px,calc(100% + 2px) -2px,1px 1px,calc(100% - 1px) 1px;background-size:3rem calc(100% + 4px),3rem calc(100% + 4px),1.1rem calc(100% - 2px),1.1rem calc(100% - 2px);
background-image:${['var(--under) 40%', 'var(--edge)'].map((from) => `linear-gradient(to right,${from},transparent),linear-gradient(to left,${from},transparent)`)}}
pre,.steps{background-position:-2px -2px,-2px calc(100% + 2px),1px 1px,1px calc(100% - 1px);background-size:calc(100% + 4px) 3rem,calc(100% + 4px) 3rem,calc(100% - 2px) .8rem,calc(100% - 2px) .8rem;
background-image:${['var(--under) 40%', 'var(--edge)'].map((from) => `linear-gradient(to bottom,${from},transparent),linear-gradient(to top,${from},transparent)`)}}
`;

const problems = `
.iteration{border-top:1px solid var(--rule);padding-top:.6rem}.iteration summary h3{display:inline;margin:0}
.problem{display:grid;grid-template-columns:minmax(0,17rem) minmax(0,1fr);gap:.5rem 1.5rem;margin:1.2rem 0;padding-top:1rem;border-top:1px solid var(--rule)}
.problem header{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:0 .8rem;align-items:baseline}
.problem h4{margin:0;font-size:1rem}.problem header code{color:var(--muted)}
.problem img{max-width:100%;height:auto;border:1px solid var(--rule);border-radius:.3rem;background:#fff}.pixels{image-rendering:pixelated}
.question{margin:.5rem 0;white-space:pre-wrap}.gold{margin:.3rem 0}.truth{margin:.2rem 0;padding-left:1.4rem;color:var(--muted);font-size:.92rem}
.question,.truth li,.text,.gold b{overflow-wrap:anywhere;unicode-bidi:isolate}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));gap:1rem}
.sheet article{min-width:0;padding:.7rem .8rem;border:1px solid var(--rule);border-radius:.4rem}.sheet img{display:block;max-width:100%;max-height:16rem;width:auto;height:auto;margin:0 auto .5rem;background:#fff}
.sheet h3{margin:0;font-size:.88rem;color:var(--muted);overflow-wrap:anywhere}.sheet pre{margin:.4rem 0;max-height:14rem;overflow:auto;white-space:pre-wrap;font:inherit;font-size:.9rem;overflow-wrap:anywhere}.sheet p{margin:.2rem 0 0;overflow-wrap:anywhere}
.responses{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:.7rem;margin:0;padding:0;list-style:none}.responses li{min-width:0}
.response{height:100%;padding:.5rem .8rem;border:1px solid var(--rule);border-left:.35rem solid var(--muted);border-radius:.4rem}
.response.right{border-left-color:var(--good)}.response.wrong{border-left-color:var(--bad)}
.response.selected{outline:2px solid var(--keep)}
.head{margin:0 0 .3rem;display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline;font-size:.92rem}
.right .verdict{color:var(--good)}.wrong .verdict{color:var(--bad)}
.tag{padding:0 .5em;border:1px solid var(--muted);border-radius:1em;font-size:.85em}
.tag.keep{border-color:var(--keep);color:var(--keep);font-weight:600}.tag.lucky{border-color:var(--s2);color:var(--s2);font-weight:600}
.samples,.reason{color:var(--muted);font-size:.85rem}.reason{margin:.3rem 0 0;overflow-wrap:anywhere}
.steps{max-height:26rem;overflow:auto;margin:0;padding:0;list-style:none}.steps li{display:flex;gap:.5rem;align-items:baseline;margin:.12rem 0}
.text{min-width:0;white-space:pre-wrap}
.score{flex:none;min-width:3.2em;padding:0 .35em;text-align:right;font-size:.85rem;font-variant-numeric:tabular-nums;border:1px solid var(--q);border-radius:.3em;
background:linear-gradient(to right,color-mix(in srgb,var(--q) var(--strong),transparent) var(--fill),color-mix(in srgb,var(--q) 12%,transparent) var(--fill))}
.mark{flex:none;width:1em;font-weight:700}.yes{color:var(--good)}.no{color:var(--bad)}
${scores}
@media (max-width:42rem){section{padding:1rem .8rem}.top,main{padding-left:.6rem;padding-right:.6rem}nav ul{padding:.6rem}.problem{grid-template-columns:minmax(0,1fr)}.big{font-size:1.9rem}.problem img{max-width:12rem}}
@media print{nav{display:none}section{break-inside:avoid-page;border:0}}
`;

/**
 * Colours of the page in the light, by the name of their variable without its hyphens: for pictures that stand alone and have no
 * variables to ask.
 */
export const lightColours: ReadonlyMap<string, string> = (() => {
  const light = colours.slice(0, colours.indexOf('@media'));
  const plain = new Map(
    [...light.matchAll(/--(\w+):(#[0-9a-f]{3,6})\b/g)].map(([, name, hex]) => [name, hex] as [string, string]),
  );
  const mixes = colours.matchAll(/--(\w+):color-mix\(in srgb,var\(--(\w+)\) (\d+)%,var\(--(\w+)\)\)/g);
  for (const [, name, one, share, other] of mixes)
    plain.set(name as string, mix(plain.get(one as string), plain.get(other as string), Number(share) / 100));
  for (const [, name, same] of colours.matchAll(/--(k\d):var\(--(\w+)\)/g))
    plain.set(name as string, plain.get(same as string) as string);
  return plain;
})();

function mix(one = '#000', other = '#000', share: number): string {
  const channels = (hex: string): number[] =>
    (hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex)
      .match(/[0-9a-f]{2}/g)
      ?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  const second = channels(other);
  const mixed = channels(one).map((channel, i) => Math.round(channel * share + (second[i] as number) * (1 - share)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** The style sheet. */
export const style = new Markup(colours + layout + figures + edges + problems);
