// One box marks every row of the page, and shows whether all are marked.
for (const all of document.querySelectorAll("[data-mark-all]")) {
  const rows = [...all.form.querySelectorAll("tbody input[type=checkbox]")];
  const show = () => {
    const n = rows.filter((row) => row.checked).length;
    all.checked = n > 0 && n === rows.length;
    all.indeterminate = n > 0 && n < rows.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => { for (const row of rows) row.checked = all.checked; });
  all.form.addEventListener("change", show);
  show();
}
