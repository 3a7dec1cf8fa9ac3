// What makes the pages nicer where there is JavaScript. Nothing needs it.
import { localTimes } from "./times.mjs";
import { copyButtons } from "./copy.mjs";
import { dialogs } from "./dialog.mjs";
import { menus } from "./menu.mjs";
import { forms } from "./form.mjs";

document.documentElement.classList.add("js");
localTimes();
copyButtons();
dialogs();
menus();
forms();
