// Line numbers beside a text, and the caret at the line that is wrong. Without
// this the text is a plain field.
for (const editor of document.querySelectorAll("[data-editor]")) {
  const text = editor.querySelector("textarea");
  const gutter = editor.querySelector(".gutter");
  const wrong = Number(editor.dataset.at);
  let count = 0;

  const number = () => {
    const lines = text.value.split("\n").length;
    if (lines === count) return;
    count = lines;
    gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
      const el = document.createElement(i + 1 === wrong ? "b" : "span");
      el.textContent = `${i + 1}\n`;
      return el;
    }));
  };
  const follow = () => { gutter.scrollTop = text.scrollTop; };
  const fit = () => { gutter.style.blockSize = `${text.clientHeight}px`; follow(); };

  text.addEventListener("input", number);
  text.addEventListener("scroll", follow);
  new ResizeObserver(fit).observe(text);
  number();
  fit();

  if (wrong > 0) {
    const lines = text.value.split("\n");
    const before = lines.slice(0, wrong - 1).join("").length + wrong - 1;
    const caret = before + [...(lines[wrong - 1] ?? "")].slice(0, Number(editor.dataset.before)).join("").length;
    text.focus({ preventScroll: true });
    text.setSelectionRange(caret, caret);
    text.scrollTop = Math.max(0, (wrong - 4) * parseFloat(getComputedStyle(text).lineHeight));
    editor.scrollIntoView({ block: "nearest" });
  }

  // Tab leaves the field, as the keyboard expects. Enter keeps the indent.
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const line = text.value.slice(0, text.selectionStart).split("\n").pop();
    const indent = line.match(/^\s*/)[0] + (/[{[]\s*$/.test(line) ? "  " : "");
    if (!indent) return;
    event.preventDefault();
    text.setRangeText(`\n${indent}`, text.selectionStart, text.selectionEnd, "end");
    number();
  });
}
