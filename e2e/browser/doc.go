// Package browser tests the console from outside, in a browser: what people see
// and do, in every language, light and dark, wide and narrow, by mouse and by
// keyboard. Every page that a test opens is watched: an error on the browser's
// console, a violation of the Content-Security-Policy, a failed request, a
// finding of axe-core or a page that scrolls sideways fails the test.
//
// It has no code of its own. It needs Chromium, fonts for Japanese and Chinese,
// and axe-core, which scripts/test-deps installs. WARIFU_SCREENSHOTS names a
// folder for a picture of every page that was looked at.
package browser
