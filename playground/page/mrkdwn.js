// Slack's mrkdwn and Block Kit as DOM nodes. Text only ever becomes text nodes: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["white_check_mark", "x", "warning", "hourglass", "hourglass_flowing_sand", "lock", "key",
  "no_entry", "no_entry_sign", "large_yellow_circle", "large_blue_circle", "large_green_circle", "red_circle",
  "large_orange_circle", "white_circle", "eyes", "+1", "package", "leftwards_arrow_with_hook", "bell", "rocket",
  "heavy_check_mark", "arrow_right", "information_source", "memo", "stopwatch", "octagonal_sign",
  "snowflake", "desktop_computer", "pencil2", "compass", "straight_ruler", "stethoscope", "rotating_light"]);

/** A node: `el("p", {class: "x", onclick: f}, "text", child)`; children that are null or false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

/** One emoji by name: drawn here where we have a drawing, so that it looks alike everywhere; else as a character. */
export function emoji(name, context) {
  const [base] = name.split("::");
  const character = context.emoji[base];
  if (!character) return document.createTextNode(`:${name}:`);
  if (!DRAWN.has(base)) return el("span", {class: "emoji", title: `:${name}:`}, character);
  const drawing = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/page/emoji.svg#${base}`);
  drawing.setAttribute("class", "emoji");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", base.replaceAll("_", " "));
  drawing.append(use);
  return drawing;
}

const entities = {"&amp;": "&", "&lt;": "<", "&gt;": ">"};
const plainly = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => entities[entity]);

function patterns(context) {
  const characters = Object.values(context.emoji).sort((a, b) => b.length - a.length)
    .map((character) => character.replace(/[\uFE0F]/g, "\uFE0F?").replace(/[*+?^$]/g, (c) => (c === "?" ? c : `\\${c}`)));
  context.names = Object.fromEntries(Object.entries(context.emoji).map(([name, c]) => [c.replaceAll("\uFE0F", ""), name]));
  const symbols = `:(?<name>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):|(?<character>${characters.join("|")})`;
  context.plain = new RegExp(`${symbols}|(?<line>\\n)`, "gu");
  context.rich = new RegExp("```(?<fence>[\\s\\S]+?)```\\n?|`(?<code>[^`\\n]+)`|<(?<angle>[^<>\\n]+)>"
    + "|(?<![\\w*])\\*(?<bold>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])"
    + "|(?<![\\w])_(?<italic>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\w])"
    + `|(?<![\\w~])~(?<strike>[^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\w~])|${symbols}|(?<line>\\n)`, "gu");
}

function walk(text, pattern, context, piece) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) nodes.push(plainly(text.slice(last, match.index)));
    nodes.push(piece(match.groups, context));
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(plainly(text.slice(last)));
  return nodes;
}

function piece(found, context) {
  if (found.name) return emoji(found.name, context);
  if (found.character) return emoji(context.names[found.character.replaceAll("\uFE0F", "")], context);
  if (found.line) return el("br");
  if (found.fence) return el("pre", {}, plainly(found.fence.replace(/^\n|\n$/g, "")));
  if (found.code) return el("code", {}, plainly(found.code));
  if (found.angle) return angle(found.angle, context);
  if (found.bold) return el("strong", {}, inline(found.bold, context));
  if (found.italic) return el("em", {}, inline(found.italic, context));
  return el("s", {}, inline(found.strike, context));
}

const inline = (text, context) => walk(text, context.rich, context, piece);

/** mrkdwn → nodes, with "> quoted" lines. */
export function mrkdwn(text, context) {
  if (!context.rich) patterns(context);
  const nodes = [];
  for (const part of text.split(/(```[\s\S]+?```\n?|(?:^(?:&gt;|>) ?.*(?:\n|$))+)/m)) {
    if (/^(&gt;|>)/.test(part)) {
      const lines = part.replace(/\n$/, "").split("\n").map((line) => line.replace(/^(&gt;|>) ?/, ""));
      nodes.push(el("blockquote", {}, inline(lines.join("\n"), context)));
    } else if (part) nodes.push(...inline(part, context));
  }
  return nodes;
}

/** A text object of Block Kit → nodes. */
export function words(text, context) {
  if (text.type === "mrkdwn") return mrkdwn(text.text, context);
  if (!context.plain) patterns(context);
  return walk(text.text, context.plain, context, piece);
}

export function safeLink(url, label) {
  if (!/^(https?:|mailto:)/.test(url)) return el("span", {}, label ?? url);
  return el("a", {href: url, target: "_blank", rel: "noreferrer noopener"}, label ?? url);
}

function angle(inside, context) {
  const [what, label] = inside.split(/\|(.*)/s);
  if (what.startsWith("@")) return mention(`@${context.names_of[what.slice(1)] ?? label ?? what.slice(1)}`, what.slice(1) === context.me);
  if (what.startsWith("#")) return mention(`#${context.channel_names[what.slice(1)] ?? label ?? what.slice(1)}`, false);
  if (what.startsWith("!date^")) return date(what, label ?? "");
  if (what.startsWith("!")) return mention(`@${label?.replace(/^@/, "") ?? what.slice(1).split("^")[0]}`, false);
  return safeLink(plainly(what), label == null ? undefined : inline(label, context));
}

const mention = (text, mine) => el("span", {class: mine ? "mention mine" : "mention"}, text);

function date(what, fallback) {
  const [, seconds, format = "", url] = what.split("^");
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return document.createTextNode(plainly(fallback));
  const show = (options) => new Intl.DateTimeFormat(undefined, options).format(when);
  const days = {dateStyle: "long"}, short = {dateStyle: "medium"}, long = {dateStyle: "full"};
  const shown = plainly(format).replace(/\{(\w+)\}/g, (whole, token) => ({
    date_num: when.toISOString().slice(0, 10), date: show(days), date_short: show(short), date_long: show(long),
    date_pretty: near(when) ?? show(days), date_short_pretty: near(when) ?? show(short),
    date_long_pretty: near(when) ?? show(long), time: show({timeStyle: "short"}), time_secs: show({timeStyle: "medium"}),
    ago: ago(when),
  })[token] ?? whole);
  const time = el("time", {datetime: when.toISOString(), title: when.toLocaleString()}, shown);
  return url ? safeLink(url, time) : time;
}

function near(when) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  const days = Math.round((midnight(when) - midnight(new Date())) / 86_400_000);
  return {"-1": "yesterday", 0: "today", 1: "tomorrow"}[days];
}

function ago(when) {
  const minutes = Math.round((when - Date.now()) / 60_000);
  const [value, unit] = Math.abs(minutes) < 90 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  return new Intl.RelativeTimeFormat(undefined, {numeric: "auto"}).format(value, unit);
}
