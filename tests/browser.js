/* What is measured in an open page; each function without an argument is one of `browser.Visit.measure`. */
"use strict";

const all = (selector) => [...document.querySelectorAll(selector)];
const inView = (element) => element.getClientRects().length > 0;
const style = (element) => getComputedStyle(element);
const drawings = () => all("main figure svg").filter(inView);

/* The elements of a drawing that hold text themselves. */
const texts = (drawing) => [...drawing.querySelectorAll("text, tspan")].filter((element) =>
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));

/* Open all that can be opened; how many there are. */
const openDetails = () => all("details").map((one) => { one.open = true; }).length;

/* Take away what is like the rest: rows of tables and lists after the sixth, and the insides of drawings, of which
   `contrasts` tells. How many elements are left. */
const shorten = () => {
  for (const more of all("tbody tr:nth-child(n+7), h4:nth-of-type(n+7), h4 ~ ol:nth-of-type(n+7), main figure svg > *")) more.remove();
  return all("*").length;
};

/* How many elements are in view, and those that reach beyond the window, but for those in what can be scrolled. */
const wide = () => {
  const clipped = (element) => element !== null && (style(element).overflowX !== "visible" || clipped(element.parentElement));
  const elements = all("body *:not(svg *)").filter(inView);
  const beyond = elements.filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !clipped(one.parentElement));
  return {
    count: elements.length,
    scrollWidth: document.documentElement.scrollWidth,
    beyond: beyond.map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`),
  };
};

/* The elements of which a part is out of view until they are scrolled. */
const scrollable = () => all("main *").filter(inView)
  .filter((one) => style(one).overflowX !== "visible" || style(one).overflowY !== "visible")
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map((one) => `${one.tagName} ${one.ariaLabel ?? one.className}`);

/* The drawings in view: their width, which of both they are, and their texts, each with its size and by how much it
   reaches beyond the drawing, in pixels. */
const drawn = () => drawings().map((drawing) => {
  const paper = drawing.getBoundingClientRect();
  return {
    width: paper.width,
    variant: drawing.closest(".wide, .narrow").className,
    texts: texts(drawing).map((text) => {
      const box = text.getBoundingClientRect();
      const {a, b} = text.getScreenCTM();
      return {
        text: text.textContent.trim(),
        pixels: parseFloat(style(text).fontSize) * Math.hypot(a, b),
        beyond: Math.max(paper.left - box.left, box.right - paper.right, paper.top - box.top, box.bottom - paper.bottom),
      };
    }),
  };
});

/* Red, green and blue up to 255, and opacity. */
const rgba = (colour) => {
  const parts = colour.match(/[\d.]+/g).map(Number);
  const scaled = colour.startsWith("color(") ? parts.map((part, place) => place < 3 ? 255 * part : part) : parts;
  return [...scaled.slice(0, 3), scaled[3] ?? 1];
};

/* The relative luminance of WCAG 2.2. */
const luminance = (colour) => colour.reduce((sum, part, place) => {
  const share = part / 255;
  const linear = share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  return sum + [0.2126, 0.7152, 0.0722][place] * linear;
}, 0);

/* What the fill of a text or a shape makes of the colours under it. */
const laidOn = (ground, element, drawing) => {
  const [red, green, blue, opacity] = rgba(style(element).fill);
  let alpha = opacity * Number(style(element).fillOpacity);
  for (let one = element; one !== drawing; one = one.parentElement) alpha *= Number(style(one).opacity);
  return [red, green, blue].map((part, place) => alpha * part + (1 - alpha) * ground[place]);
};

/* How each text of the drawings in view stands out from what is filled under its middle, by the contrast ratio of
   WCAG 2.2; hatches and lines are no ground. */
const contrasts = () => drawings().flatMap((drawing) => {
  const paper = rgba(style(document.body).backgroundColor).slice(0, 3);
  const shapes = [...drawing.querySelectorAll("path, rect, circle")].filter((shape) =>
    !shape.closest("defs") && /^(rgb|color)/.test(style(shape).fill));
  const under = (text) => {
    const box = text.getBoundingClientRect();
    const middle = new DOMPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    return shapes.filter((shape) => shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING
      && shape.isPointInFill(middle.matrixTransform(shape.getScreenCTM().inverse())));
  };
  return texts(drawing).map((text) => {
    const below = under(text);
    const ground = below.reduce((colour, shape) => laidOn(colour, shape, drawing), paper);
    const [dark, light] = [luminance(ground), luminance(laidOn(ground, text, drawing))].sort((a, b) => a - b);
    return {text: text.textContent.trim(), onField: below.length > 0, ratio: (light + 0.05) / (dark + 0.05)};
  });
});

/* How many of the page's own words are in view, and those that are written from right to left. */
const directions = () => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = {count: 0, turned: []};
  const box = (node, place) => {
    const range = document.createRange();
    range.setStart(node, place);
    range.setEnd(node, place + 1);
    return range.getBoundingClientRect();
  };
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("bdi, svg")) continue;
    for (const {0: word, index} of node.data.matchAll(/[A-Za-z]{2,}/g)) {
      const [first, second] = [box(node, index), box(node, index + 1)];
      if (first.width === 0 || first.top !== second.top) continue;
      found.count += 1;
      if (second.left < first.left) found.turned.push(word);
    }
  }
  return found;
};

/* Every word of the sentences in turn as it has the focus: where it is and where its guesses are. */
const guesses = () => all(".surprise button").map((button) => {
  button.focus();
  const {left, right, top, width} = button.querySelector(".guesses").getBoundingClientRect();
  const word = button.getBoundingClientRect();
  return {
    left, right, width,
    count: button.querySelectorAll(".guesses > span").length / 2,
    below: top - word.bottom,
    aside: Math.max(left - word.right, word.left - right),
    others: all(".guesses").filter(inView).length - 1,
  };
});
