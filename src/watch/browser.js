// Keeps an open page of mstar watch up to date, in the browser: puts in sections as the server sends them, and the samples that the
// reader asks for. All markup comes from the server, which escapes every text in it.

const main = document.getElementById('main');
const link = document.getElementById('link');

/** What can hold the focus in a section. */
const FOCUSABLE = 'a[href],button,select,summary,[tabindex]';

/** The elements of a section that keep their state, by the property that holds it. */
const KEPT = { details: 'open', '.scroll': 'scrollLeft', pre: 'scrollTop', '.steps': 'scrollTop' };

function elementOf(markup) {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return template.content.firstElementChild;
}

/** Puts a section in the place of an older one without taking away what the reader opened, scrolled or holds. */
function replace(old, fresh) {
  for (const [selector, property] of Object.entries(KEPT)) {
    const before = old.querySelectorAll(selector);
    const after = fresh.querySelectorAll(selector);
    // Scrolling needs the layout, so it is set once the section is in the page.
    const values = Array.from(before, (element) => element[property]);
    if (before.length === after.length)
      queueMicrotask(() => {
        after.forEach((element, i) => {
          element[property] = values[i];
        });
      });
  }
  const held = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  old.replaceWith(fresh);
  if (held >= 0) fresh.querySelectorAll(FOCUSABLE)[held]?.focus({ preventScroll: true });
}

/** Sections by id, as the server last sent them. */
const shown = new Map();

/** Sections in their order, those that changed with their markup. */
function update({ order, changed }) {
  const before = main.querySelector('[data-state]')?.dataset;
  for (const { id, html } of changed) {
    // The samples are the reader's: they are asked for below.
    const old = document.getElementById(id);
    if ((id === 'samples' && old) || shown.get(id) === html) continue;
    shown.set(id, html);
    const fresh = elementOf(html);
    if (old) replace(old, fresh);
    else main.append(fresh);
  }
  const ids = order.map(({ id }) => id);
  if ([...main.children].map(({ id }) => id).join() !== ids.join()) {
    for (const child of [...main.children]) if (!ids.includes(child.id)) child.remove();
    for (const id of ids) main.append(document.getElementById(id));
  }
  const sections = document.getElementById('sections');
  if (Array.from(sections.querySelectorAll('a'), ({ hash }) => hash).join() !== ids.map((id) => `#${id}`).join()) {
    const items = order.map(({ id, name }) => {
      const item = document.createElement('li');
      item.append(Object.assign(document.createElement('a'), { href: `#${id}`, textContent: name }));
      return item;
    });
    sections.replaceChildren(...items);
  }
  const now = main.querySelector('[data-state]')?.dataset;
  if (!now) return;
  document.title = `${now.short} · ${document.querySelector('h1').textContent} – mstar`;
  if (before && before.state !== now.state) document.getElementById('told').textContent = `The run is ${now.state}.`;
}

let asked = 0;

/** Fetches samples and shows them, unless others were asked for meanwhile. */
async function showSamples(query) {
  const mine = ++asked;
  const response = await fetch(`samples${query}`).catch(() => undefined);
  const text = await response?.text();
  const old = document.getElementById('samples');
  if (mine !== asked || !old) return;
  if (response?.ok) replace(old, elementOf(text));
  else link.textContent = `The samples could not be read: ${text ?? 'no connection'}`;
}

/** Shows what the reader asked for, and writes it into the address, so that it can be kept and sent. */
async function ask(query) {
  history.replaceState(null, '', `${query}#samples`);
  await showSamples(query);
  document.getElementById('samples-page')?.focus();
}

main.addEventListener('submit', (event) => {
  event.preventDefault();
  const choices = [...new FormData(event.target)].filter(([, value]) => value !== '');
  ask(`?${new URLSearchParams(choices)}`);
});
main.addEventListener('click', (event) => {
  const anchor = event.target.closest('.pager a');
  if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(new URL(anchor.href).search);
});

/** The newest phase with responses; null before the server has told. */
let newest = null;
const source = new EventSource('events');
source.addEventListener('open', () => {
  link.className = '';
  link.textContent = 'Connected: the page follows the run.';
});
source.addEventListener('error', () => {
  link.className = 'lost';
  link.textContent = 'The connection is lost; trying again. The page shows what was known before.';
});
source.addEventListener('sections', ({ data }) => {
  const message = JSON.parse(data);
  update(message);
  // Who asked for samples keeps them; others see those of the newest iteration.
  const isNew = newest !== null && newest !== message.newest;
  newest = message.newest;
  if (isNew && !new URLSearchParams(location.search).has('phase')) showSamples('');
});
