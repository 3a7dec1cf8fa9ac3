package store_test

import (
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
)

func TestAccounts(t *testing.T) {
	each(t, func(w *world) {
		w.refused(fault.Exists, "account", acme.String(), func(tx *store.Tx) error {
			return tx.InsertAccount(&iam.Account{ID: acme})
		})
		w.refused(fault.Exists, "account alias", "acme", func(tx *store.Tx) error {
			return tx.InsertAccount(&iam.Account{ID: 777788889999, Alias: "acme"})
		})
		w.refused(fault.Exists, "account alias", "acme", func(tx *store.Tx) error { return tx.SetAlias(other, "acme") })
		w.refused(fault.NotFound, "account", "000000000007", func(tx *store.Tx) error { _, err := tx.Account(7); return err })
		w.refused(fault.NotFound, "account", "000000000007", func(tx *store.Tx) error { _, err := tx.Revision(7); return err })
		w.refused(fault.NotFound, "account", "000000000007", func(tx *store.Tx) error { return tx.BumpRevision(7) })
		w.update(func(tx *store.Tx) error { return tx.SetPasswordPolicy(acme, `{"MinLength":12}`) })
		w.view(func(tx *store.Tx) error {
			a, err := tx.Account(acme)
			w.must(err)
			same(w, "account", *a, iam.Account{ID: acme, Alias: "acme", Created: epoch, PasswordPolicy: `{"MinLength":12}`})
			b, err := tx.AccountByAlias("acme")
			w.must(err)
			same(w, "account by alias", *b, *a)
			all, err := tx.Accounts()
			same(w, "accounts", names(all, func(a iam.Account) string { return a.ID.String() }), acme.String()+" "+other.String())
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.SetAlias(acme, "") })
		w.update(func(tx *store.Tx) error { return tx.SetAlias(other, "acme") })
		w.refused(fault.NotFound, "account", "gone", func(tx *store.Tx) error { _, err := tx.AccountByAlias("gone"); return err })
		w.bumps("two bumps in one transaction", func(tx *store.Tx) error {
			w.must(tx.BumpRevision(acme))
			return tx.BumpRevision(acme)
		})
	})
}

func TestUsers(t *testing.T) {
	each(t, func(w *world) {
		boundary := w.policy(acme, "bounds")
		alice := &iam.User{ID: w.id(), Account: acme, Name: "Alice", Path: "/eng/", Created: epoch,
			PasswordUsed: epoch.Add(time.Hour), Boundary: boundary.ID, Tags: []iam.Tag{{Key: "Team", Value: "ΔΣ \"x\""}, {Key: "a", Value: ""}}}
		w.stays("a new user", func(tx *store.Tx) error { return tx.InsertUser(alice) })
		w.view(func(tx *store.Tx) error {
			for _, spelled := range []string{"Alice", "alice", "ALICE"} {
				u, err := tx.UserByName(acme, spelled)
				w.must(err)
				same(w, spelled, *u, *alice)
			}
			u, err := tx.UserByID(acme, alice.ID)
			w.must(err)
			same(w, "by id", *u, *alice)
			return nil
		})
		w.refused(fault.Exists, "user", "aLICE", func(tx *store.Tx) error {
			return tx.InsertUser(&iam.User{ID: w.id(), Account: acme, Name: "aLICE", Path: "/"})
		})
		w.refused(fault.NotFound, "user", "bob", func(tx *store.Tx) error { _, err := tx.UserByName(acme, "bob"); return err })

		// The same name in another account is another user.
		w.update(func(tx *store.Tx) error {
			return tx.InsertUser(&iam.User{ID: w.id(), Account: other, Name: "alice", Path: "/", Created: epoch})
		})

		bob := w.user("bob")
		w.refused(fault.Exists, "user", "ALICE", func(tx *store.Tx) error {
			renamed := *bob
			renamed.Name = "ALICE"
			return tx.UpdateUser(&renamed)
		})
		bob.Name, bob.Path, bob.Tags = "Robert", "/ops/", []iam.Tag{{Key: "k", Value: "v"}}
		w.bumps("a renamed user", func(tx *store.Tx) error { return tx.UpdateUser(bob) })
		w.stays("a password's use", func(tx *store.Tx) error { return tx.SetPasswordUsed(acme, bob.ID, epoch) })
		bob.PasswordUsed = epoch
		w.view(func(tx *store.Tx) error {
			u, err := tx.UserByName(acme, "robert")
			w.must(err)
			same(w, "renamed", *u, *bob)
			return nil
		})
		w.bumps("a deleted user", func(tx *store.Tx) error { return tx.DeleteUser(acme, bob.ID) })
		w.refused(fault.NotFound, "user", bob.ID.String(), func(tx *store.Tx) error { return tx.DeleteUser(acme, bob.ID) })
	})
}

func TestRootUsers(t *testing.T) {
	each(t, func(w *world) {
		root := &iam.User{ID: w.id(), Account: acme, Root: true, Path: "/", Email: "Root@Example.com", Created: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertUser(root) })
		w.refused(fault.Exists, "root user", "second@example.com", func(tx *store.Tx) error {
			return tx.InsertUser(&iam.User{ID: w.id(), Account: acme, Root: true, Path: "/", Email: "second@example.com"})
		})
		w.refused(fault.Exists, "root user", "ROOT@example.com", func(tx *store.Tx) error {
			return tx.InsertUser(&iam.User{ID: w.id(), Account: other, Root: true, Path: "/", Email: "ROOT@example.com"})
		})
		w.user("alice")
		w.view(func(tx *store.Tx) error {
			u, err := tx.RootUser(acme)
			w.must(err)
			same(w, "root", *u, *root)
			u, err = tx.UserByRootEmail("root@EXAMPLE.com")
			w.must(err)
			same(w, "root by e-mail", *u, *root)
			all, err := tx.Users(acme, "", "", 10)
			w.must(err)
			same(w, "users", names(all, func(u iam.User) string { return u.Name }), "alice")
			n, err := tx.UserCount(acme)
			same(w, "count", n, 1)
			return err
		})
		w.refused(fault.NotFound, "user", "", func(tx *store.Tx) error { _, err := tx.UserByName(acme, ""); return err })
		w.refused(fault.NotFound, "root user", other.String(), func(tx *store.Tx) error { _, err := tx.RootUser(other); return err })
		w.refused(fault.NotFound, "root user", "", func(tx *store.Tx) error { _, err := tx.UserByRootEmail(""); return err })
	})
}

// Lists are in byte order of the folded names on both databases, whatever their
// collation, and pages neither repeat nor lose a row.
func TestUserPages(t *testing.T) {
	each(t, func(w *world) {
		// In byte order: + , - . digits = @ _ letters, then beyond ASCII.
		want := []string{"+x", ",y", "-z", ".dot", "0", "10", "2", "=eq", "@at", "A", "a-b", "a.b", "a_b", "aa", "AB", "_under", "b", "B2", "Zoë", "zz", "Ünal", "żółw"}
		byBytes := "+x ,y -z .dot 0 10 2 =eq @at _under A a-b a.b a_b aa AB b B2 Zoë zz Ünal żółw"
		for i := range want {
			w.user(want[(i*7)%len(want)]) // any order but the sorted one
		}
		for _, size := range []int{1, 3, 100} {
			var got []iam.User
			after := ""
			for {
				var page []iam.User
				w.view(func(tx *store.Tx) (err error) { page, err = tx.Users(acme, "", after, size); return err })
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				after = page[len(page)-1].Name
			}
			same(w, "pages", names(got, func(u iam.User) string { return u.Name }), byBytes)
		}
	})
}

func TestPathPrefix(t *testing.T) {
	each(t, func(w *world) {
		for i, path := range []string{"/", "/a/", "/a/b/", "/A/", "/a%/", "/ab/"} {
			u := &iam.User{ID: w.id(), Account: acme, Name: string(rune('u' + i)), Path: path, Created: epoch}
			w.update(func(tx *store.Tx) error { return tx.InsertUser(u) })
		}
		for prefix, want := range map[string]string{"": "u v w x y z", "/": "u v w x y z", "/a": "v w y z", "/a/": "v w", "/a%": "y", "/A": "x", "/_": ""} {
			w.view(func(tx *store.Tx) error {
				all, err := tx.Users(acme, prefix, "", 10)
				same(w, "prefix "+prefix, names(all, func(u iam.User) string { return u.Name }), want)
				return err
			})
		}
	})
}

func TestGroups(t *testing.T) {
	each(t, func(w *world) {
		g, alice, bob := w.group("Devs"), w.user("alice"), w.user("Bob")
		admins := w.group("admins")
		w.refused(fault.Exists, "group", "devs", func(tx *store.Tx) error {
			return tx.InsertGroup(&iam.Group{ID: w.id(), Account: acme, Name: "devs", Path: "/"})
		})
		add := func(g *iam.Group, u *iam.User, want bool) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				changed, err := tx.AddMember(acme, g.ID, u.ID)
				same(w, "added", changed, want)
				return err
			}
		}
		w.bumps("a member", add(g, alice, true))
		w.stays("the same member again", add(g, alice, false))
		w.update(add(g, bob, true))
		w.update(add(admins, alice, true))
		w.view(func(tx *store.Tx) error {
			got, err := tx.GroupByName(acme, "DEVS")
			w.must(err)
			same(w, "by name", *got, *g)
			got, err = tx.GroupByID(acme, g.ID)
			w.must(err)
			same(w, "by id", *got, *g)
			groupName := func(g iam.Group) string { return g.Name }
			userName := func(u iam.User) string { return u.Name }
			all, err := tx.Groups(acme, "/", "", 10)
			w.must(err)
			same(w, "groups", names(all, groupName), "admins Devs")
			all, err = tx.Groups(acme, "/", "ADMINS", 10)
			w.must(err)
			same(w, "groups after", names(all, groupName), "Devs")
			all, err = tx.GroupsOf(acme, alice.ID, "", 10)
			w.must(err)
			same(w, "groups of alice", names(all, groupName), "admins Devs")
			all, err = tx.GroupsOf(acme, alice.ID, "admins", 1)
			w.must(err)
			same(w, "groups of alice after", names(all, groupName), "Devs")
			in, err := tx.Members(acme, g.ID, "", 10)
			w.must(err)
			same(w, "members", names(in, userName), "alice Bob")
			in, err = tx.Members(acme, g.ID, "Alice", 10)
			w.must(err)
			same(w, "members after", names(in, userName), "Bob")
			n, err := tx.GroupCount(acme)
			w.must(err)
			of, err := tx.GroupsOfCount(acme, alice.ID)
			w.must(err)
			m, err := tx.MemberCount(acme, g.ID)
			same(w, "counts", []int{n, of, m}, []int{2, 2, 2})
			return err
		})
		w.refused(fault.Conflict, "group", g.ID.String(), func(tx *store.Tx) error { return tx.DeleteGroup(acme, g.ID) })
		w.refused(fault.Conflict, "user", alice.ID.String(), func(tx *store.Tx) error { return tx.DeleteUser(acme, alice.ID) })
		remove := func(u *iam.User, want bool) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				changed, err := tx.RemoveMember(acme, g.ID, u.ID)
				same(w, "removed", changed, want)
				return err
			}
		}
		w.bumps("a member leaving", remove(alice, true))
		w.stays("nobody leaving", remove(alice, false))
		w.update(remove(bob, true))
		g.Name, g.Path = "Developers", "/x/"
		w.bumps("a renamed group", func(tx *store.Tx) error { return tx.UpdateGroup(g) })
		w.refused(fault.Exists, "group", "ADMINS", func(tx *store.Tx) error {
			renamed := *g
			renamed.Name = "ADMINS"
			return tx.UpdateGroup(&renamed)
		})
		w.bumps("a deleted group", func(tx *store.Tx) error { return tx.DeleteGroup(acme, g.ID) })
		w.refused(fault.NotFound, "group", g.ID.String(), func(tx *store.Tx) error { _, err := tx.GroupByID(acme, g.ID); return err })
	})
}

func TestRoles(t *testing.T) {
	each(t, func(w *world) {
		r := w.role("Deploy")
		w.role("audit")
		w.refused(fault.Exists, "role", "DEPLOY", func(tx *store.Tx) error {
			return tx.InsertRole(&iam.Role{ID: w.id(), Account: acme, Name: "DEPLOY", Path: "/"})
		})
		r.Name, r.Description, r.Trust, r.MaxSession = "Deployer", "d", `{"v":2}`, 12*time.Hour
		r.Tags, r.Boundary = []iam.Tag{{Key: "a", Value: "b"}}, w.policy(acme, "bounds").ID
		w.bumps("a changed role", func(tx *store.Tx) error { return tx.UpdateRole(r) })
		w.stays("a role's use", func(tx *store.Tx) error { return tx.SetRoleUsed(acme, r.ID, epoch.Add(time.Minute), "eu-west-1") })
		r.LastUsed, r.LastRegion = epoch.Add(time.Minute), "eu-west-1"
		w.view(func(tx *store.Tx) error {
			got, err := tx.RoleByName(acme, "deployer")
			w.must(err)
			same(w, "by name", *got, *r)
			got, err = tx.RoleByID(acme, r.ID)
			w.must(err)
			same(w, "by id", *got, *r)
			all, err := tx.Roles(acme, "", "", 10)
			w.must(err)
			same(w, "roles", names(all, func(r iam.Role) string { return r.Name }), "audit Deployer")
			n, err := tx.RoleCount(acme)
			same(w, "count", n, 2)
			return err
		})
		w.refused(fault.Exists, "role", "AUDIT", func(tx *store.Tx) error {
			renamed := *r
			renamed.Name = "AUDIT"
			return tx.UpdateRole(&renamed)
		})
		w.bumps("a deleted role", func(tx *store.Tx) error { return tx.DeleteRole(acme, r.ID) })
		w.refused(fault.NotFound, "role", "Deployer", func(tx *store.Tx) error { _, err := tx.RoleByName(acme, "Deployer"); return err })
	})
}

// A deleted user's id and what hung on it never come back with the name
// (security checklist P-12).
func TestRecreatedUserIsAnother(t *testing.T) {
	each(t, func(w *world) {
		first := w.user("alice")
		p := w.policy(acme, "p")
		w.update(func(tx *store.Tx) error { _, err := tx.Attach(acme, iam.KindUser, first.ID, p.ID); return err })
		w.refused(fault.Conflict, "user", first.ID.String(), func(tx *store.Tx) error { return tx.DeleteUser(acme, first.ID) })
		w.update(func(tx *store.Tx) error { _, err := tx.Detach(acme, iam.KindUser, first.ID, p.ID); return err })
		w.update(func(tx *store.Tx) error { return tx.DeleteUser(acme, first.ID) })
		second := w.user("alice")
		if second.ID == first.ID {
			t.Fatal("the id was given twice")
		}
		w.refused(fault.NotFound, "user", first.ID.String(), func(tx *store.Tx) error {
			_, err := tx.PrincipalPolicies(acme, iam.KindUser, first.ID)
			return err
		})
	})
}
