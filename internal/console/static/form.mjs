// A form is sent once, says when Caps Lock is on, and downloads what it shows.
export function forms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  const caps = (event) => {
    const note = event.target.closest?.(".field")?.querySelector("[data-caps]");
    if (note && event.getModifierState) note.hidden = !event.getModifierState("CapsLock");
  };
  document.addEventListener("keydown", caps);
  document.addEventListener("keyup", caps);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-download]");
    if (!button) return;
    const text = document.getElementById(button.dataset.from).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text.trim() + "\n"], { type: "text/plain" }));
    link.download = button.dataset.download;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
