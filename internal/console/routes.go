package console

import "slices"

// Who says who may come in at a route. Its zero value is nobody, so that a route
// that forgot to say it is closed.
type Who uint8

// The visitors.
const (
	Nobody   Who = iota
	Anyone       // signed in or not
	Signing      // a sign-in under way that stands at the route's Stage
	SignedIn     // a session
)

// Route is one row of the table, from which the mux, the navigation and the
// tests are made.
type Route struct {
	Method  string
	Pattern string // as in http.ServeMux
	Who     Who
	Stage   string // of Signing: the stage of the sign-in that it serves
	Upload  bool   // its form may hold a file
	Fresh   bool   // a proof that operations asking for one would take comes first
	Nav     string // key of its entry in the navigation; "" = none
	Section string // key of the navigation's part that the entry stands in
	Icon    string

	do func(*request) error
}

// Routes is the table, for crawls and tests. The order is that of the
// navigation.
func Routes() []Route {
	return slices.Concat(commonRoutes(), signInRoutes(), adminRoutes(), securityRoutes(), passkeyRoutes(), mailRoutes(), cliLoginRoutes(), ociLoginRoutes(), recoveryRoutes(), recoverRoutes())
}

func commonRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/{$}", Who: Anyone, do: rootPage},
		{Method: "GET", Pattern: "/favicon.ico", Who: Anyone, do: favicon},
		{Method: "GET", Pattern: "/console/design", Who: Anyone, do: designPage},
		{Method: "POST", Pattern: "/preferences", Who: Anyone, do: setPreferences},
	}
}

// rootPage leads to the console, or to where one signs in.
func rootPage(rq *request) error {
	if rq.cookie(cookieSession) == "" {
		return rq.redirect("/signin")
	}
	return rq.redirect(home)
}

func favicon(rq *request) error { return rq.redirect(rq.c.assets.prefix + "mark.svg") }
