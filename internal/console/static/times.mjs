// Times in the zone of the browser. The title keeps UTC.
export function localTimes(root = document) {
  const lang = document.documentElement.lang;
  const full = new Intl.DateTimeFormat(lang, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  const plain = new Intl.DateTimeFormat(lang, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  for (const el of root.querySelectorAll("time[datetime]")) {
    const at = new Date(el.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    if (el.dataset.show === "ago") el.title = `${full.format(at)} · ${el.title}`;
    else el.textContent = plain.format(at);
  }
}
