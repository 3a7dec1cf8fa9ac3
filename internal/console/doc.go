// Package console owns the web pages: signing in, looking after one's own
// security, and administering the account. It is a door. It decodes forms, runs
// the same operations as the API doors, and writes sentences; no rule lives
// here. It never opens the store and imports no other door. Only cmd calls it.
//
// # How a page is made
//
// A page is a row of the route table (routes.go), a function, and a template.
//
//	{Method: "GET", Pattern: "/console/users", Who: SignedIn, Nav: "nav.users", Icon: "user", do: usersPage},
//
//	func usersPage(rq *request) error {
//		list, err := run(rq, ops.ListUsers, ops.Listing{Cursor: rq.query("after")})
//		if err != nil {
//			return err // a page that says what stood in the way
//		}
//		return rq.page("admin/users", rq.t("users.title"), usersData{list})
//	}
//
// The table makes the mux, the navigation and the tests. A route says who may
// come in: Anyone, Signing (a sign-in that stands at Step), or SignedIn. The
// zero value of Who lets nobody in. Fresh sends a person who has not proved a
// factor lately to the step-up page first, and back.
//
// GET changes nothing. A POST runs an operation and redirects with rq.done(path,
// "flash.key"), or shows its form again:
//
//	func createUser(rq *request) error {
//		f := rq.form()
//		_, err := run(rq, ops.CreateUser, ops.CreateUserIn{Name: f.Get("name")})
//		if err != nil {
//			return f.again(err, fields{"userName": "name"}, func() error { return newUserPage(rq) })
//		}
//		return rq.done("/console/users", "flash.user.created", "user", f.Get("name"))
//	}
//
// again turns a fault about the input into the sentence beside its field, the
// field getting the focus; any other fault goes up and becomes a page: policy's
// no names the policy that stops it and says what to do, a fault that asks for
// a fresh proof goes through the step-up page, an unknown one is mute.
//
// A card of a page that stands on an operation of its own uses load: policy's no
// then stays in the card (template "part-no") and the other cards are shown.
// rq.backTo(title) sets the way back to the Security page; pages elsewhere set
// rq.crumbs. rq.pages(next) makes the links of a list that goes on, by the
// parameter "after"; the other parameters of the URL stay.
//
// # Templates
//
// Every file under templates is parsed once per language into one set, so the
// names of templates are unique: "admin/users" is defined in
// templates/admin/users.html. A page begins with {{template "top" .}} and ends
// with {{template "end" .}}; pages of signing in use "gate-top" and "gate-end".
// The dot is a *view: .D is the page's data, .Form its form, .Here its path.
// Components are templates that take one typed value, made in place:
//
//	{{template "field" (Field "Form" $.Form "Name" "name" "Label" (t "users.name") "Required" true)}}
//	{{template "button" (Button "Label" (t "users.create") "Kind" "primary")}}
//
// components.go declares the values, /console/design shows them all. An unknown
// field of a component is an error that the golden test of that page finds.
//
// # Words
//
// Texts are in locales/{en,ja,zh}/*.json: one flat object per file, of dotted
// keys. {{t "key" "name" value}} fills {name} in; a text that counts is an
// object of plural forms chosen by {n}. {{rich "key" …}} with the "rich"
// template also renders <b>, <code>, <a> and <time> in a text; the nth link takes the
// href argument "a", "a2", …, a time the argument of the placeholder inside it. Sentences are never put together from pieces. A
// test holds the three languages to the same keys and placeholders, and every
// key that templates and Go name to the catalogs.
//
// Times go through {{template "time" (at .When)}} (the browser's zone, UTC in
// the title) or {{template "ago" (ago .When)}} ("3 days ago").
//
// # Rules of the house
//
// No inline style, script or event handler: the Content-Security-Policy forbids
// them. Everything works without JavaScript; modules only make it nicer. Lists
// are tables whose cells name their column in data-label, so that they stack
// into cards on a narrow screen. Deleting has a page of its own, which lists
// what goes with it and asks for the name.
package console
