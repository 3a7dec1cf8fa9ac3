// Says how long something is still to wait for. It is for information: the
// server decides.
export function countdowns(root = document) {
  for (const el of root.querySelectorAll("[data-until]")) {
    const until = Date.parse(el.dataset.until);
    if (Number.isNaN(until)) continue;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      el.textContent = left > 0 ? el.dataset.text.replace("{n}", left) : el.dataset.then;
      if (left > 0) setTimeout(tick, 1000);
    };
    tick();
  }
}
