package store_test

import (
	"fmt"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

func policyName(p iam.Policy) string { return p.Name }
func policyUse(p store.PolicyUse) string {
	return fmt.Sprintf("%s(%d,%d)", p.Name, p.Attached, p.Bounding)
}
func entityName(e store.Entity) string { return string(e.Kind) + ":" + e.Name }
func attach(kind iam.PrincipalKind, principal, policy name.ID) func(*store.Tx) error {
	return func(tx *store.Tx) error { _, err := tx.Attach(acme, kind, principal, policy); return err }
}

func TestPolicyVersions(t *testing.T) {
	each(t, func(w *world) {
		p := w.policy(acme, "Force_MFA")
		if p.Default != 1 || p.Latest != 1 {
			t.Errorf("a new policy has default %d and latest %d", p.Default, p.Latest)
		}
		w.refused(fault.Exists, "policy", "force_mfa", func(tx *store.Tx) error {
			return tx.InsertPolicy(&iam.Policy{ID: w.id(), Account: acme, Name: "force_mfa", Path: "/x/"}, "")
		})
		add := func(want int) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				v := &iam.PolicyVersion{Policy: p.ID, Document: fmt.Sprint("text ", want), Created: epoch.Add(time.Duration(want))}
				err := tx.InsertVersion(acme, v)
				same(w, "number", v.Number, want)
				return err
			}
		}
		w.stays("a version that is not in force", add(2))
		w.update(add(3))
		w.update(func(tx *store.Tx) error { return tx.DeleteVersion(acme, p.ID, 3) })
		w.update(add(4)) // numbers are not given twice
		w.bumps("another version in force", func(tx *store.Tx) error { return tx.SetDefaultVersion(acme, p.ID, 4, epoch.Add(time.Hour)) })
		w.refused(fault.NotFound, "policy version", "v3", func(tx *store.Tx) error { return tx.SetDefaultVersion(acme, p.ID, 3, epoch) })
		w.refused(fault.Conflict, "policy version", "v4", func(tx *store.Tx) error { return tx.DeleteVersion(acme, p.ID, 4) })
		w.refused(fault.NotFound, "policy version", "v3", func(tx *store.Tx) error { return tx.DeleteVersion(acme, p.ID, 3) })
		w.view(func(tx *store.Tx) error {
			got, err := tx.PolicyByID(acme, p.ID)
			w.must(err)
			p.Default, p.Latest, p.Updated = 4, 4, epoch.Add(time.Hour)
			same(w, "policy", *got, *p)
			got, err = tx.PolicyByPathName(acme, "/", "FORCE_mfa")
			w.must(err)
			same(w, "by path and name", *got, *p)
			got, err = tx.PolicyByName(acme, "force_mfa")
			w.must(err)
			same(w, "by name", *got, *p)
			if _, err = tx.PolicyByPathName(acme, "/x/", "Force_MFA"); !fault.Is(err, fault.NotFound) {
				t.Errorf("another path finds it: %v", err)
			}
			v, err := tx.Version(acme, p.ID, 2)
			w.must(err)
			same(w, "version", *v, iam.PolicyVersion{Policy: p.ID, Number: 2, Document: "text 2", Created: epoch.Add(2).Truncate(time.Microsecond)})
			number := func(v iam.PolicyVersion) string { return fmt.Sprint(v.Number) }
			all, err := tx.Versions(acme, p.ID, 0, 10)
			w.must(err)
			same(w, "versions", names(all, number), "4 2 1")
			all, err = tx.Versions(acme, p.ID, 4, 1)
			w.must(err)
			same(w, "versions after", names(all, number), "2")
			n, err := tx.VersionCount(acme, p.ID)
			same(w, "count", n, 3)
			return err
		})
		p.Description, p.Tags = "d", []iam.Tag{{Key: "k", Value: "v"}}
		w.stays("a described policy", func(tx *store.Tx) error { return tx.UpdatePolicy(p) })
		w.bumps("a deleted policy", func(tx *store.Tx) error { return tx.DeletePolicy(acme, p.ID) })
		w.refused(fault.NotFound, "policy version", "v1", func(tx *store.Tx) error { _, err := tx.Version(acme, p.ID, 1); return err })
	})
}

func TestAttachments(t *testing.T) {
	each(t, func(w *world) {
		u, g, r := w.user("alice"), w.group("devs"), w.role("deploy")
		p, q, v := w.policy(acme, "beta"), w.policy(acme, "Alpha"), w.policy(0, "ReadOnlyAccess")
		w.bumps("an attachment", attach(iam.KindUser, u.ID, p.ID))
		w.stays("the same again", func(tx *store.Tx) error {
			changed, err := tx.Attach(acme, iam.KindUser, u.ID, p.ID)
			same(w, "changed", changed, false)
			return err
		})
		w.update(attach(iam.KindUser, u.ID, q.ID))
		w.update(attach(iam.KindUser, u.ID, v.ID))
		w.update(attach(iam.KindGroup, g.ID, p.ID))
		w.update(attach(iam.KindRole, r.ID, p.ID))
		u.Boundary, r.Boundary = q.ID, q.ID
		w.update(func(tx *store.Tx) error { return tx.UpdateUser(u) })
		w.update(func(tx *store.Tx) error { return tx.UpdateRole(r) })
		w.view(func(tx *store.Tx) error {
			all, err := tx.AttachedTo(acme, iam.KindUser, u.ID, "/", store.After{}, 10)
			w.must(err)
			same(w, "attached", names(all, policyName), "Alpha beta ReadOnlyAccess")
			all, err = tx.AttachedTo(acme, iam.KindUser, u.ID, "", store.After{Name: "Alpha", ID: q.ID}, 1)
			w.must(err)
			same(w, "attached after", names(all, policyName), "beta")
			n, err := tx.AttachedCount(acme, iam.KindUser, u.ID)
			w.must(err)
			same(w, "attached count", n, 3)
			attached, bounding, err := tx.PolicyUses(acme, p.ID)
			w.must(err)
			same(w, "uses of beta", []int{attached, bounding}, []int{3, 0})
			attached, bounding, err = tx.PolicyUses(acme, q.ID)
			w.must(err)
			same(w, "uses of Alpha", []int{attached, bounding}, []int{1, 2})
			for _, c := range []struct {
				kind  iam.PrincipalKind
				usage store.Usage
				of    *iam.Policy
				want  string
			}{
				{iam.KindUser, store.UsageAny, p, "user:alice"},
				{iam.KindGroup, store.UsagePermissions, p, "group:devs"},
				{iam.KindRole, store.UsagePermissions, p, "role:deploy"},
				{iam.KindRole, store.UsageBoundary, p, ""},
				{iam.KindRole, store.UsageBoundary, q, "role:deploy"},
				{iam.KindUser, store.UsageBoundary, q, "user:alice"},
				{iam.KindGroup, store.UsageBoundary, q, ""},
				{iam.KindUser, store.UsagePermissions, v, "user:alice"},
			} {
				all, err := tx.EntitiesFor(acme, c.of.ID, c.kind, c.usage, "/", "", 10)
				w.must(err)
				same(w, fmt.Sprint("entities ", c.kind, c.usage, c.of.Name), names(all, entityName), c.want)
			}
			return nil
		})
		w.refused(fault.Conflict, "policy", p.ID.String(), func(tx *store.Tx) error { return tx.DeletePolicy(acme, p.ID) })
		w.refused(fault.Conflict, "policy", q.ID.String(), func(tx *store.Tx) error { return tx.DeletePolicy(acme, q.ID) })
		w.refused(fault.Conflict, "role", r.ID.String(), func(tx *store.Tx) error { return tx.DeleteRole(acme, r.ID) })
		w.bumps("a detachment", func(tx *store.Tx) error {
			changed, err := tx.Detach(acme, iam.KindUser, u.ID, p.ID)
			same(w, "changed", changed, true)
			return err
		})
		w.stays("the same again", func(tx *store.Tx) error {
			changed, err := tx.Detach(acme, iam.KindUser, u.ID, p.ID)
			same(w, "changed", changed, false)
			return err
		})
		w.refused(fault.NotFound, "user", "5", func(tx *store.Tx) error { _, err := tx.Attach(acme, iam.KindUser, 5, p.ID); return err })
		w.refused(fault.NotFound, "policy", "5", func(tx *store.Tx) error { _, err := tx.Attach(acme, iam.KindUser, u.ID, 5); return err })
		w.refused(fault.NotFound, "group", u.ID.String(), func(tx *store.Tx) error {
			_, err := tx.Attach(acme, iam.KindGroup, u.ID, p.ID)
			return err
		})
	})
}

func TestPolicyList(t *testing.T) {
	each(t, func(w *world) {
		u, g := w.user("alice"), w.group("devs")
		mine, theirs := w.policy(acme, "mine"), w.policy(other, "theirs")
		unused, read, write := w.policy(acme, "Unused"), w.policy(0, "ReadOnly"), w.policy(0, "Write")
		_, _ = theirs, unused
		w.update(attach(iam.KindUser, u.ID, mine.ID))
		w.update(attach(iam.KindGroup, g.ID, mine.ID))
		w.update(attach(iam.KindGroup, g.ID, read.ID))
		u.Boundary = write.ID
		w.update(func(tx *store.Tx) error { return tx.UpdateUser(u) })
		for _, c := range []struct {
			what string
			f    store.PolicyFilter
			want string
		}{
			{"all", store.PolicyFilter{Account: acme}, "mine(2,0) ReadOnly(1,0) Unused(0,0) Write(0,1)"},
			{"own", store.PolicyFilter{Account: acme, Scope: store.ScopeOwn}, "mine(2,0) Unused(0,0)"},
			{"vendor", store.PolicyFilter{Account: acme, Scope: store.ScopeVendor}, "ReadOnly(1,0) Write(0,1)"},
			{"vendor as another sees it", store.PolicyFilter{Account: other}, "ReadOnly(0,0) theirs(0,0) Write(0,0)"},
			{"attached", store.PolicyFilter{Account: acme, OnlyAttached: true}, "mine(2,0) ReadOnly(1,0)"},
			{"permissions", store.PolicyFilter{Account: acme, Usage: store.UsagePermissions}, "mine(2,0) ReadOnly(1,0)"},
			{"boundary", store.PolicyFilter{Account: acme, Usage: store.UsageBoundary}, "Write(0,1)"},
			{"after", store.PolicyFilter{Account: acme, After: store.After{Name: "MINE", ID: mine.ID}, Limit: 2}, "ReadOnly(1,0) Unused(0,0)"},
			{"path", store.PolicyFilter{Account: acme, PathPrefix: "/x"}, ""},
		} {
			if c.f.Limit == 0 {
				c.f.Limit = 10
			}
			w.view(func(tx *store.Tx) error {
				all, err := tx.Policies(c.f)
				same(w, c.what, names(all, policyUse), c.want)
				return err
			})
		}
	})
}

func TestVendorPolicies(t *testing.T) {
	each(t, func(w *world) {
		make := func(called, text string) store.VendorPolicy {
			return store.VendorPolicy{Document: text, Policy: iam.Policy{ID: name.FixedID("aws:" + called), Language: iam.LanguageAWS,
				Name: called, Path: "/", Created: epoch, Updated: epoch}}
		}
		sync := func(all ...store.VendorPolicy) func(*store.Tx) error {
			return func(tx *store.Tx) error { return tx.SyncVendorPolicies(all) }
		}
		a, b := make("A", "one"), make("B", "one")
		before := []int64{w.revision(acme), w.revision(other)}
		w.update(sync(a))
		w.update(sync(a))
		w.update(sync(a, b))
		b.Document = "two"
		w.update(sync(a, b))
		w.update(sync(b))
		same(w, "revisions", []int64{w.revision(acme), w.revision(other)}, []int64{before[0] + 3, before[1] + 3})
		w.view(func(tx *store.Tx) error {
			p, err := tx.PolicyByID(acme, a.ID) // not in the last list, still there
			w.must(err)
			same(w, "A", []int{p.Default, p.Latest}, []int{1, 1})
			p, err = tx.PolicyByPathName(0, "/", "B")
			w.must(err)
			v, err := tx.Version(acme, b.ID, p.Default)
			w.must(err)
			same(w, "B", fmt.Sprint(v.Number, " ", v.Document), "2 two")
			v, err = tx.Version(acme, b.ID, 1)
			w.must(err)
			same(w, "the first text of B", v.Document, "one")
			return nil
		})
	})
}

func TestInlinePolicies(t *testing.T) {
	each(t, func(w *world) {
		u, g := w.user("alice"), w.group("devs")
		put := func(kind iam.PrincipalKind, id name.ID, called, text string) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				return tx.PutInline(acme, kind, &iam.InlinePolicy{Principal: id, Name: called, Language: iam.LanguageAWS, Document: text})
			}
		}
		w.bumps("an inline policy", put(iam.KindUser, u.ID, "b", "old"))
		w.bumps("another text", put(iam.KindUser, u.ID, "b", "{ \"a\":\n\t1 }é"))
		w.update(put(iam.KindUser, u.ID, "B", "123 // four, five\n45"))
		w.update(put(iam.KindUser, u.ID, "c", "1"))
		w.update(put(iam.KindGroup, g.ID, "b", "group's"))
		w.view(func(tx *store.Tx) error {
			p, err := tx.Inline(acme, iam.KindUser, u.ID, "b")
			w.must(err)
			same(w, "inline", *p, iam.InlinePolicy{Principal: u.ID, Name: "b", Language: iam.LanguageAWS, Document: "{ \"a\":\n\t1 }é"})
			all, err := tx.InlineNames(acme, iam.KindUser, u.ID, "", 10)
			w.must(err)
			same(w, "names", fmt.Sprint(all), "[B b c]")
			all, err = tx.InlineNames(acme, iam.KindUser, u.ID, "B", 1)
			w.must(err)
			same(w, "names after", fmt.Sprint(all), "[b]")
			full, err := tx.Inlines(acme, iam.KindUser, u.ID)
			w.must(err)
			same(w, "inlines", names(full, func(p iam.InlinePolicy) string { return p.Name }), "B b c")
			n, err := tx.InlineSize(acme, iam.KindUser, u.ID, "c")
			same(w, "size", n, 5+len(`{"a":1}`)+1)
			return err
		})
		w.refused(fault.NotFound, "inline policy", "zz", func(tx *store.Tx) error { _, err := tx.Inline(acme, iam.KindUser, u.ID, "zz"); return err })
		w.refused(fault.NotFound, "inline policy", "b", func(tx *store.Tx) error { return tx.DeleteInline(acme, iam.KindRole, u.ID, "b") })
		w.refused(fault.Conflict, "group", g.ID.String(), func(tx *store.Tx) error { return tx.DeleteGroup(acme, g.ID) })
		w.bumps("no inline policy", func(tx *store.Tx) error { return tx.DeleteInline(acme, iam.KindGroup, g.ID, "b") })
		w.update(func(tx *store.Tx) error { return tx.DeleteGroup(acme, g.ID) })
	})
}

func TestPrincipalPolicies(t *testing.T) {
	each(t, func(w *world) {
		u, g, r := w.user("alice"), w.group("devs"), w.role("deploy")
		far := w.group("strangers")
		own, shared, bound, vendor := w.policy(acme, "own"), w.policy(acme, "Shared"), w.policy(acme, "bound"), w.policy(0, "Vendor")
		strange := w.policy(acme, "strange")
		w.update(func(tx *store.Tx) error { _, err := tx.AddMember(acme, g.ID, u.ID); return err })
		w.update(attach(iam.KindUser, u.ID, own.ID))
		w.update(attach(iam.KindUser, u.ID, shared.ID))
		w.update(attach(iam.KindGroup, g.ID, shared.ID))
		w.update(attach(iam.KindGroup, g.ID, vendor.ID))
		w.update(attach(iam.KindGroup, far.ID, strange.ID))
		w.update(attach(iam.KindRole, r.ID, own.ID))
		u.Boundary = bound.ID
		w.update(func(tx *store.Tx) error { return tx.UpdateUser(u) })
		w.update(func(tx *store.Tx) error {
			v := &iam.PolicyVersion{Policy: shared.ID, Document: "two", Created: epoch}
			w.must(tx.InsertVersion(acme, v))
			w.must(tx.SetDefaultVersion(acme, shared.ID, v.Number, epoch))
			w.must(tx.PutInline(acme, iam.KindUser, &iam.InlinePolicy{Principal: u.ID, Name: "u", Language: iam.LanguageAWS, Document: "du"}))
			w.must(tx.PutInline(acme, iam.KindGroup, &iam.InlinePolicy{Principal: far.ID, Name: "x", Language: iam.LanguageAWS, Document: "dx"}))
			return tx.PutInline(acme, iam.KindGroup, &iam.InlinePolicy{Principal: g.ID, Name: "g", Language: iam.LanguageAWS, Document: "dg"})
		})
		managed := func(m store.ManagedGrant) string {
			return fmt.Sprintf("%s.%d/%d by %s:%s", m.Name, m.Number, m.Account, m.Holder.Kind, m.Holder.Name)
		}
		inline := func(p store.InlineGrant) string {
			return fmt.Sprintf("%s=%s by %s:%s", p.Name, p.Document, p.Holder.Kind, p.Holder.Name)
		}
		read := func(kind iam.PrincipalKind, id name.ID) (got *store.Grants) {
			w.view(func(tx *store.Tx) (err error) { got, err = tx.PrincipalPolicies(acme, kind, id); return err })
			return got
		}
		of := read(iam.KindUser, u.ID)
		first, second := "user:alice", "group:devs" // a policy held twice comes in the order of its holders' ids
		if g.ID < u.ID {
			first, second = second, first
		}
		same(w, "managed", names(of.Managed, managed), fmt.Sprintf("Shared.2/%[1]d by %[2]s Shared.2/%[1]d by %[3]s Vendor.1/0 by group:devs own.1/%[1]d by user:alice", int64(acme), first, second))
		same(w, "inline", names(of.Inline, inline), "g=dg by group:devs u=du by user:alice")
		if of.Boundary == nil || of.Boundary.ID != bound.ID || of.Boundary.Number != 1 || of.Boundary.Name != "bound" {
			t.Errorf("boundary is %+v", of.Boundary)
		}
		of = read(iam.KindRole, r.ID)
		same(w, "role's", names(of.Managed, managed), fmt.Sprintf("own.1/%d by role:deploy", int64(acme)))
		if of.Boundary != nil || of.Inline != nil {
			t.Errorf("the role has %+v", of)
		}
		of = read(iam.KindGroup, g.ID)
		same(w, "group's", names(of.Managed, managed), fmt.Sprintf("Shared.2/%d by group:devs Vendor.1/0 by group:devs", int64(acme)))
	})
}

func TestCounts(t *testing.T) {
	each(t, func(w *world) {
		root := &iam.User{ID: w.id(), Account: acme, Root: true, Path: "/", Email: "root@example.com", Created: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertUser(root) })
		u := w.user("alice")
		w.user("bob")
		w.group("g")
		w.role("r")
		p := w.policy(acme, "p")
		w.policy(0, "v")
		w.update(func(tx *store.Tx) error {
			w.must(tx.InsertLoginProfile(acme, &iam.LoginProfile{User: root.ID, Hash: "h", Created: epoch, Changed: epoch}))
			return tx.InsertVersion(acme, &iam.PolicyVersion{Policy: p.ID, Document: "2", Created: epoch})
		})
		w.key(root)
		w.key(u)
		w.factor("pending")
		w.enabled(u, "phone")
		w.enabled(root, "token")
		w.view(func(tx *store.Tx) error {
			c, err := tx.Counts(acme)
			same(w, "counts", c, store.Counts{Users: 2, Groups: 1, Roles: 1, Policies: 1, PolicyVersions: 2, Factors: 3, FactorsInUse: 2,
				RootFactors: 1, RootKeys: 1, RootPassword: true})
			n, e := tx.PolicyCount(acme)
			w.must(e)
			same(w, "policies", n, 1)
			return err
		})
	})
}
