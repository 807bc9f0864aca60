// Block Kit → DOM nodes. `act(element, value)` is called for what a person presses or picks.

import {el, emoji, mrkdwn, safeLink, words} from "/page/mrkdwn.js";

/** The body of a message: its blocks, or its text where there are none. */
export function body(message, context, act) {
  if (!message.blocks?.length) return el("div", {class: "block"}, mrkdwn(message.text, context));
  return el("div", {class: "blocks"}, message.blocks.map((one) => block(one, context, act)));
}

/** One block; an unknown type says so instead of vanishing. */
export function block(one, context, act) {
  const paint = {section, context: small, divider, header, actions, image, rich_text, table, markdown}[one.type];
  return paint ? paint(one, context, act) : el("p", {class: "block"}, `(a block of type ${one.type})`);
}

const divider = () => el("hr");
const header = (one, context) => el("h3", {class: "block"}, words(one.text, context));
const markdown = (one) => el("div", {class: "block"}, one.text);
const small = (one, context) => el("div", {class: "block context"},
  one.elements.map((inner) => (inner.type === "image" ? picture(inner) : el("span", {}, words(inner, context)))));
const actions = (one, context, act) => el("div", {class: "block actions"},
  one.elements.map((inner) => element(inner, context, act)));
const image = (one, context) => el("figure", {class: "block"},
  picture(one), one.title && el("figcaption", {}, words(one.title, context)));
const picture = (one) => el("img", {src: one.image_url, alt: one.alt_text, loading: "lazy"});

function section(one, context, act) {
  return el("div", {class: "block section"},
    el("div", {class: "said"},
      one.text && el("div", {}, words(one.text, context)),
      one.fields && el("div", {class: "fields"}, one.fields.map((field) => el("div", {}, words(field, context))))),
    one.accessory && el("div", {class: "accessory"}, element(one.accessory, context, act)));
}

function element(one, context, act) {
  if (one.type === "image") return picture(one);
  if (one.type === "button") return button(one, context, act);
  const options = one.options.map((option) => el("option", {value: option.value}, words(option.text, context)));
  const label = one.placeholder?.text ?? "Choose …";
  const select = el("select", {"aria-label": label, onchange: () => act(one, select.value)},
    el("option", {value: "", disabled: true, selected: true}, label), options);
  return select;
}

function button(one, context, act) {
  const press = () => {
    if (one.url) window.open(one.url, "_blank", "noreferrer");
    act(one);
  };
  return el("button", {type: "button", class: one.style ?? "", onclick: press, "aria-label": one.accessibility_label},
    words(one.text, context));
}

function table(one, context) {
  const rows = one.rows.map((row, at) => el("tr", {}, row.map((cell) => el(at ? "td" : "th", at ? {} : {scope: "col"},
    cell.type === "raw_text" ? cell.text : rich_text(cell, context)))));
  return el("div", {class: "block table", tabindex: "0"}, el("table", {}, rows));
}

function rich_text(one, context) {
  return el("div", {class: "block"}, one.elements.map((part) => {
    const inner = () => part.elements.map((leaf) => run(leaf, context));
    if (part.type === "rich_text_preformatted") return el("pre", {}, inner());
    if (part.type === "rich_text_quote") return el("blockquote", {}, inner());
    if (part.type === "rich_text_list") {
      const items = part.elements.map((item) => el("li", {}, item.elements.map((leaf) => run(leaf, context))));
      return el(part.style === "ordered" ? "ol" : "ul", {}, items);
    }
    return el("div", {}, inner());
  }));
}

function run(leaf, context) {
  if (leaf.type === "emoji") return emoji(leaf.name, context);
  if (leaf.type === "link") return safeLink(leaf.url, leaf.text);
  if (leaf.type === "user") return el("span", {class: "mention"}, `@${context.names_of[leaf.user_id] ?? leaf.user_id}`);
  if (leaf.type === "channel") return el("span", {class: "mention"}, `#${context.channel_names[leaf.channel_id] ?? leaf.channel_id}`);
  const tags = {bold: "strong", italic: "em", strike: "s", code: "code"};
  const wrap = (inner, style) => (leaf.style?.[style] ? el(tags[style], {}, inner) : inner);
  return Object.keys(tags).reduce(wrap, leaf.text ?? "");
}
