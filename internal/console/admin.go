package console

// adminRoutes are the pages for looking after the account. The order is that of
// the navigation.
func adminRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/console", Who: SignedIn, Nav: "nav.home", Icon: "home", do: homePage},
	}
}

// homePage greets whoever signed in.
func homePage(rq *request) error {
	return rq.page("admin/home", rq.t("nav.home"), nil)
}
