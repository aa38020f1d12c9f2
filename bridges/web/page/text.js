// Turns the trees of bridges/web/tree.py into elements: known tags only, text stays text.

const TAGS = {
  lines: "div", p: "p", h3: "h3", h4: "h4", h5: "h5", h6: "h6", ul: "ul", ol: "ol", li: "li",
  blockquote: "blockquote", strong: "strong", em: "em", s: "s", code: "code", pre: "pre", a: "a",
  table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td", hr: "hr", br: "br", small: "small",
};
const SCHEMES = new Set(["http:", "https:", "mailto:"]);

export function nodes(trees) {
  return trees.map(node);
}

function node(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, children] = tree;
  const element = document.createElement(TAGS[tag] ?? "span");
  if (tag === "lines") element.className = "lines";
  if (tag === "a") link(element, attributes.href);
  if (tag === "ol" && attributes.start) element.start = Number(attributes.start) || 1;
  if (["left", "center", "right"].includes(attributes.align)) element.classList.add(`align-${attributes.align}`);
  element.append(...nodes(children));
  return tag === "table" ? wrapped(element) : element;
}

function link(element, href) {
  let url;
  try {
    url = new URL(href);
  } catch {
    return;
  }
  if (!SCHEMES.has(url.protocol)) return;
  element.href = url.href;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
}

/** A wide table scrolls inside its own box, not the page. */
function wrapped(table) {
  const box = document.createElement("div");
  box.className = "table";
  box.tabIndex = 0;
  box.append(table);
  return box;
}
