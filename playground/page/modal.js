// The modal in front of a person, and the question a button may ask first.

import {block} from "/page/blocks.js";
import {el, words} from "/page/mrkdwn.js";

const FIELDS = "input, textarea, select";

/** Show this view; `send(values)` gives what the workspace answered, `leave()` cancels. */
export function show(dialog, view, {context, send, leave}) {
  const form = el("form", {method: "dialog", novalidate: true},
    el("h2", {id: "modal-title"}, words(view.title, context)),
    el("div", {class: "modal-body"}, view.blocks.map((one) => (one.type === "input" ? input(one, context) : block(one, context, () => {})))),
    el("p", {class: "trouble", role: "alert", hidden: true}),
    el("footer", {},
      el("button", {type: "button", class: "quiet", onclick: leave}, view.close ? words(view.close, context) : "Cancel"),
      view.submit && el("button", {class: "primary"}, words(view.submit, context))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    complain(form, await send(typed(form)));
  });
  dialog.oncancel = (event) => { event.preventDefault(); leave(); };
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
  form.querySelector(FIELDS)?.focus();
}

function input(one, context) {
  const id = `field-${one.block_id}`;
  return el("div", {class: "field", "data-block": one.block_id},
    el("label", {for: id}, words(one.label, context), one.optional && el("span", {class: "muted"}, " (optional)")),
    control(one, id, context),
    one.hint && el("p", {class: "muted", id: `${id}-hint`}, words(one.hint, context)),
    el("p", {class: "wrong", id: `${id}-wrong`, role: "alert", hidden: true}));
}

function control(one, id, context) {
  const {element} = one;
  const common = {id, name: one.block_id, "aria-describedby": `${id}-hint ${id}-wrong`};
  if (element.type === "plain_text_input") {
    const attributes = {...common, placeholder: element.placeholder?.text, autocomplete: "off"};
    const field = element.multiline ? el("textarea", {...attributes, rows: 4}) : el("input", {...attributes, type: "text"});
    field.value = element.initial_value ?? "";
    return field;
  }
  if (element.type === "static_select") {
    const options = element.options.map((option) => el("option", {value: option.value,
      selected: option.value === element.initial_option?.value}, words(option.text, context)));
    return el("select", common, el("option", {value: ""}, element.placeholder?.text ?? "Choose …"), options);
  }
  const type = element.type === "checkboxes" ? "checkbox" : "radio";
  return el("div", {id, role: "group"}, element.options.map((option) => el("label", {class: "option"},
    el("input", {type, name: one.block_id, value: option.value}), words(option.text, context))));
}

function typed(form) {
  const values = {};
  for (const field of form.querySelectorAll("[data-block]")) {
    const name = field.dataset.block;
    const boxes = [...field.querySelectorAll("input[type=checkbox]")];
    values[name] = boxes.length ? boxes.filter((box) => box.checked).map((box) => box.value)
      : new FormData(form).get(name);
  }
  return values;
}

function complain(form, answer) {
  for (const field of form.querySelectorAll("[data-block]")) {
    const sentence = answer.errors?.[field.dataset.block];
    const wrong = field.querySelector(".wrong");
    wrong.textContent = sentence ?? "";
    wrong.hidden = !sentence;
    field.querySelector(FIELDS)?.setAttribute("aria-invalid", String(Boolean(sentence)));
  }
  form.querySelector("[aria-invalid=true]")?.focus();
  const trouble = form.querySelector(".trouble");
  trouble.textContent = answer.trouble ?? "";
  trouble.hidden = !answer.trouble;
}

/** Ask a button's `confirm` question first; resolves to whether the person meant it. */
export function sure(dialog, question, context) {
  if (!question) return Promise.resolve(true);
  return new Promise((resolve) => {
    dialog.replaceChildren(el("form", {method: "dialog"},
      el("h2", {id: "confirm-title"}, words(question.title, context)),
      el("div", {class: "modal-body"}, words(question.text, context)),
      el("footer", {},
        el("button", {class: "quiet", value: "no"}, words(question.deny, context)),
        el("button", {class: question.style ?? "primary", value: "yes"}, words(question.confirm, context)))));
    dialog.returnValue = "no";
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.showModal();
  });
}
