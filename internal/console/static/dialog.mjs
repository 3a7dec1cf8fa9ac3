// Links whose question is also a dialog of the page open that instead of the
// page of its own.
export function dialogs() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      const dialog = document.getElementById(link.dataset.dialog);
      if (!dialog) return;
      event.preventDefault();
      dialog.showModal();
      return;
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
