package iam

import "strings"

// Marks by which a User-Agent tells browser and system, the telling ones first:
// most browsers name others, too.
var (
	browserMarks = [...][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systemMarks  = [...][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// Agent names the browser and the system of a User-Agent; "" for what it does
// not tell. It is what the client says of itself, and proves nothing.
func Agent(userAgent string) (browser, system string) {
	find := func(marks [][2]string) string {
		for _, m := range marks {
			if strings.Contains(userAgent, m[0]) {
				return m[1]
			}
		}
		return ""
	}
	return find(browserMarks[:]), find(systemMarks[:])
}
