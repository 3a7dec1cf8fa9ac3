// What makes the pages nicer where there is JavaScript. Nothing needs it.
import { localTimes } from "./times.mjs";
import { copyButtons } from "./copy.mjs";
import { dialogs } from "./dialog.mjs";
import { menus } from "./menu.mjs";
import { forms } from "./form.mjs";
import { countdowns } from "./countdown.mjs";
import { passkeys } from "./passkey.mjs";

document.documentElement.classList.add("js");
localTimes();
copyButtons();
dialogs();
menus();
forms();
countdowns();
passkeys();
// Where the views of a page do not fit, the one that is shown is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
