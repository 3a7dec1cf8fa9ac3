package ops

import (
	"encoding/base32"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy"
	"warifu/policy/oci"
)

// Bounds of compartments (OCI documentation, "Service Limits").
const (
	compartmentKept = 90 * 24 * time.Hour // for which a deleted one can be recovered
)

// OracleNoun is a noun of Oracle's own as its door shows it.
type OracleNoun struct {
	iam.OracleNoun
	ETag  string
	Open  bool     // of a compartment that is listed: whether the caller may inspect something in it or below it
	Whole struct { // what it is part of, if it is: a tag's namespace
		Name   string
		Parent name.ID
	}
}

func oracleNoun(n *iam.OracleNoun) *OracleNoun {
	return &OracleNoun{OracleNoun: *n, ETag: etagOf(n.ID, n.Parent, n.Name, n.Description, n.State, n.Body, n.Tags, n.Changed.UnixMicro())}
}

// compartmentSlot keeps siblings from sharing a name; deleted ones share none.
func compartmentSlot(parent name.ID, called string) string {
	return parent.String() + "/" + strings.ToLower(called)
}

// OracleNounIn is the input of operations that make a noun in a compartment.
type OracleNounIn struct {
	Compartment string // OCID
	Name        string
	Described
	Retry Retry

	Statements []string // of a policy
	Version    string
	Rule       string // of a dynamic group
	Network    OracleNetworkIn
	Of         name.ID // the noun that the new one is part of
	Fields     OracleFields
}

// record lists what the trail keeps.
func (in OracleNounIn) record() audit.Fields {
	return audit.Fields{"name": clipped(in.Name), "compartmentId": clipped(in.Compartment)}
}

// inCompartment is the target of an operation that makes or lists nouns.
func (env *Env) inCompartment(noun, compartment string) (Target, error) {
	id, err := env.compartmentID(compartment)
	if err != nil {
		return Target{Noun: noun}, ignoreMissing(err)
	}
	return env.oracleTarget(Target{Noun: noun}, id)
}

// openCompartment reads a compartment in which something is to be made; nil is the
// root.
func (env *Env) openCompartment(ocid string) (name.ID, error) {
	id, err := env.compartmentID(ocid)
	if err != nil || id == 0 {
		return id, err
	}
	c, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OracleCompartment, id)
	if err == nil && c.State != iam.OracleActive {
		err = fault.Of(fault.NotFound, string(iam.OracleCompartment), ocid)
	}
	return id, err
}

// newOracleNoun fills in what all nouns have in common.
func (env *Env) newOracleNoun(kind iam.OracleKind, called string, d *Described) (*iam.OracleNoun, error) {
	n := &iam.OracleNoun{
		Account: env.Call.Caller.Account, Kind: kind, Name: called, Slot: strings.ToLower(called), State: iam.OracleActive,
		Created: env.Now, Changed: env.Now,
	}
	if err := checkOracleName(called); err != nil {
		return nil, err
	}
	if err := d.describe(env, &n.Description, &n.Tags, true); err != nil {
		return nil, err
	}
	var err error
	if n.ID, err = name.NewID(env.rand); err != nil {
		return nil, fault.Wrap(err, "create a "+string(kind))
	}
	return n, nil
}

// nounQuota refuses one more of a kind than there may be.
func (env *Env) nounQuota(kind iam.OracleKind, what string, limit int) error {
	return env.quota(what, limit, func(a name.Account) (int, error) { return env.Tx.OracleNounCount(a, kind) })
}

// CreateCompartment makes a compartment in another.
//
// Errors: NotFound parent; Exists among its siblings; Limit of depth and number.
var CreateCompartment = Op[OracleNounIn, *OracleNoun]{
	Name:   "CreateCompartment",
	Grants: Names{AWS: "warifu:CreateCompartment", OCI: "CreateCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleNounIn) (Target, error) {
		return env.inCompartment("compartments", in.Compartment)
	},
	Record: OracleNounIn.record,
	Do: func(env *Env, in OracleNounIn) (*OracleNoun, error) {
		return once(env, "CreateCompartment", in.Retry, func() (*OracleNoun, error) {
			parent, err := env.openCompartment(in.Compartment)
			if err != nil {
				return nil, err
			}
			n, err := env.newOracleNoun(iam.OracleCompartment, in.Name, &in.Described)
			if err != nil {
				return nil, err
			}
			if err := env.nounQuota(iam.OracleCompartment, "Compartments", env.oracleLimits.Compartments); err != nil {
				return nil, err
			}
			if err := env.fitsBelow(parent, 1); err != nil {
				return nil, err
			}
			if err := env.tagNew(parent, &n.Tags); err != nil {
				return nil, err
			}
			n.Parent, n.Slot = parent, compartmentSlot(parent, in.Name)
			return oracleNoun(n), env.Tx.InsertOracleNoun(n)
		})
	},
}

// fitsBelow refuses a tree of some height below a compartment that would be too deep.
func (env *Env) fitsBelow(parent name.ID, height int) error {
	depth := 0
	if parent != 0 {
		path, err := env.Tx.OracleCompartmentPath(env.Call.Caller.Account, parent)
		if err != nil {
			return err
		}
		depth = len(path)
	}
	if most := env.oracleLimits.Depth; most > 0 && depth+height > most {
		return limited("CompartmentDepth", most)
	}
	return nil
}

// compartmentTarget is the target of an operation on a compartment: policy is asked
// in the compartment itself.
func (env *Env) compartmentTarget(id name.ID) (Target, error) {
	t := Target{Noun: string(iam.OracleCompartment), ID: id}
	if id == 0 {
		return t, nil
	}
	c, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OracleCompartment, id)
	if err != nil {
		return t, ignoreMissing(err)
	}
	t.Name = c.Name
	return env.oracleTarget(t, id)
}

// compartment reads a compartment; id 0 is the root, which is shown as one.
func (env *Env) compartment(id name.ID) (*iam.OracleNoun, error) {
	a := env.Call.Caller.Account
	if id != 0 {
		return env.Tx.OracleNoun(a, iam.OracleCompartment, id)
	}
	account, err := env.Tx.Account(a)
	if err != nil {
		return nil, err
	}
	return &iam.OracleNoun{
		Account: a, Kind: iam.OracleCompartment, Name: tenancyName(account), Description: "The root compartment of the tenancy",
		State: iam.OracleActive, Created: account.Created, Changed: account.Created,
	}, nil
}

// tenancyName is what people call the tenancy.
func tenancyName(a *iam.Account) string {
	if a.Alias != "" {
		return a.Alias
	}
	return a.ID.String()
}

// GetCompartment reads a compartment.
var GetCompartment = Op[Matching, *OracleNoun]{
	Name:   "GetCompartment",
	Grants: Names{AWS: "warifu:GetCompartment", OCI: "GetCompartment"},
	Target: func(env *Env, in Matching) (Target, error) { return env.compartmentTarget(in.ID) },
	Do: func(env *Env, in Matching) (*OracleNoun, error) {
		if in.ID == 0 && env.inRoot(in.Root) != nil {
			return nil, fault.Of(fault.NotFound, string(iam.OracleCompartment), in.Root)
		}
		c, err := env.compartment(in.ID)
		if err != nil {
			return nil, err
		}
		return oracleNoun(c), nil
	},
}

// OracleCompartmentsIn is the input of ListCompartments.
type OracleCompartmentsIn struct {
	Compartment string
	Subtree     bool // also what lies deeper; of the root only
	Open        bool // only those in which, or below which, the caller may inspect something
	OracleList
}

// ListCompartments lists what lies directly in a compartment, or all of the tree.
//
// Errors: NotFound; Invalid when a subtree is asked for that is not the tenancy's.
var ListCompartments = Op[OracleCompartmentsIn, page.Page[OracleNoun]]{
	Name:   "ListCompartments",
	Grants: Names{AWS: "warifu:ListCompartments", OCI: "ListCompartments"},
	Target: func(env *Env, in OracleCompartmentsIn) (Target, error) {
		return env.inCompartment("compartments", in.Compartment)
	},
	Do: func(env *Env, in OracleCompartmentsIn) (out page.Page[OracleNoun], err error) {
		parent, err := env.openCompartment(in.Compartment)
		if err != nil {
			return out, err
		}
		if in.Subtree && parent != 0 {
			return out, fault.Field("compartmentIdInSubtree", "compartmentIdInSubtree is for the tenancy's own OCID")
		}
		all, err := env.Tx.OracleNouns(env.Call.Caller.Account, iam.OracleCompartment)
		if err != nil {
			return out, err
		}
		open, err := env.openTo(all)
		if err != nil {
			return out, err
		}
		var shown []OracleNoun
		for i := range all {
			if (in.Subtree || all[i].Parent == parent) && (in.State == "" || strings.EqualFold(in.State, all[i].State)) && (open[all[i].ID] || !in.Open) {
				n := oracleNoun(&all[i])
				n.Open = open[n.ID]
				shown = append(shown, *n)
			}
		}
		return pagedNouns(env, "ListCompartments", in.OracleList, shown)
	},
}

// openTo tells which of an account's compartments the caller may inspect, or anything in
// them, or in what lies below (Identity API reference, "accessLevel"): who may get the
// compartment may, and whom a statement grants something there, unless a denial forbids.
func (env *Env) openTo(all []iam.OracleNoun) (map[name.ID]bool, error) {
	by := make(map[name.ID]*iam.OracleNoun, len(all))
	for i := range all {
		by[all[i].ID] = &all[i]
	}
	var self *oracleSelf
	if env.rules != nil {
		self = env.rules.oracle
	}
	open := make(map[name.ID]bool, len(all))
	for i := range all {
		c := &all[i]
		t := Target{Noun: string(iam.OracleCompartment), ID: c.ID, Name: c.Name, Path: pathOf(by, c)}
		outcome, err := env.outcome(&GetCompartment.Grants, &t)
		if err != nil {
			return nil, err
		}
		if outcome != policy.Allowed && (outcome == policy.ExplicitDeny || !self.grantsAt(t.Path)) {
			continue
		}
		open[c.ID] = true
		if c.State != iam.OracleActive {
			continue
		}
		for up := by[c.Parent]; up != nil && !open[up.ID]; up = by[up.Parent] {
			open[up.ID] = true
		}
	}
	return open, nil
}

// pathOf spells the place of a compartment; by has all that lie above it.
func pathOf(by map[name.ID]*iam.OracleNoun, c *iam.OracleNoun) string {
	ids := []string{}
	for at := c; at != nil; at = by[at.Parent] {
		ids = append(ids, at.ID.OCID(name.OCICompartment))
	}
	ids = append(ids, c.Account.Tenancy())
	slices.Reverse(ids)
	return oci.Path(ids...)
}

// pagedNouns pages nouns.
func pagedNouns(env *Env, op string, l OracleList, all []OracleNoun) (page.Page[OracleNoun], error) {
	return ordered(env, op, l, all, func(n *OracleNoun) string { return n.ID.String() },
		func(n *OracleNoun) string { return n.Name }, func(n *OracleNoun) time.Time { return n.Created })
}

// OracleRenameIn is the input of UpdateCompartment.
type OracleRenameIn struct {
	Matching
	Name *string
	Described
}

// UpdateCompartment renames a compartment or changes what people read of it. Policies
// go on to mean the same compartment.
//
// Errors: NotFound; Exists; Unmodifiable for the root.
var UpdateCompartment = Op[OracleRenameIn, *OracleNoun]{
	Name:   "UpdateCompartment",
	Grants: Names{AWS: "warifu:UpdateCompartment", OCI: "UpdateCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleRenameIn) (Target, error) { return env.compartmentTarget(in.ID) },
	Record: func(in OracleRenameIn) audit.Fields { return audit.Fields{"compartment": in.ID.String()} },
	Do: func(env *Env, in OracleRenameIn) (*OracleNoun, error) {
		c, err := env.openNoun(iam.OracleCompartment, in.Matching)
		if err != nil {
			return nil, err
		}
		if in.Name != nil {
			if err := checkOracleName(*in.Name); err != nil {
				return nil, err
			}
			c.Name, c.Slot = *in.Name, compartmentSlot(c.Parent, *in.Name)
		}
		if err := in.describe(env, &c.Description, &c.Tags, false); err != nil {
			return nil, err
		}
		c.Changed = env.Now
		return oracleNoun(c), env.Tx.UpdateOracleNoun(c)
	},
}

// openNoun reads a noun that is as the client saw it and can be changed.
func (env *Env) openNoun(kind iam.OracleKind, in Matching) (*iam.OracleNoun, error) {
	if in.ID == 0 {
		return nil, fault.New(fault.Unmodifiable, "the root compartment is the tenancy and cannot be changed")
	}
	n, err := env.Tx.OracleNoun(env.Call.Caller.Account, kind, in.ID)
	if err != nil {
		return nil, err
	}
	if n.State != iam.OracleActive {
		return nil, fault.Of(fault.Conflict, "state", n.State)
	}
	return n, matches(in.IfMatch, oracleNoun(n).ETag)
}

// DeleteCompartment deletes a compartment that is empty. It takes another name, and
// can be recovered for 90 days.
//
// Errors: NotFound; Conflict while something lies in it.
var DeleteCompartment = Op[Matching, *OracleNoun]{
	Name:   "DeleteCompartment",
	Grants: Names{AWS: "warifu:DeleteCompartment", OCI: "DeleteCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in Matching) (Target, error) { return env.compartmentTarget(in.ID) },
	Record: func(in Matching) audit.Fields { return audit.Fields{"compartment": in.ID.String()} },
	Do: func(env *Env, in Matching) (*OracleNoun, error) {
		c, err := env.openNoun(iam.OracleCompartment, in)
		if err != nil {
			return nil, err
		}
		n, err := env.Tx.OracleChildCount(c.Account, c.ID)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			return nil, fault.Of(fault.Conflict, "full compartment", c.Name)
		}
		suffix := make([]byte, 5)
		if _, err := io.ReadFull(env.rand, suffix); err != nil {
			return nil, fault.Wrap(err, "delete a compartment")
		}
		// Oracle, too, lengthens the name by a dot and eight random characters.
		c.Name = c.Name + "." + strings.ToLower(base32.StdEncoding.EncodeToString(suffix))
		c.Slot, c.State, c.Changed = c.ID.String(), iam.OracleDeleted, env.Now
		c.Expires = env.Now.Add(compartmentKept)
		return oracleNoun(c), env.Tx.UpdateOracleNoun(c)
	},
}

// RecoverCompartment brings a deleted compartment back under the name that it has.
//
// Errors: NotFound, also when it was deleted 90 days ago; Conflict when it is not
// deleted, or its parent is; Limit.
var RecoverCompartment = Op[Matching, *OracleNoun]{
	Name:   "RecoverCompartment",
	Grants: Names{AWS: "warifu:RecoverCompartment", OCI: "RecoverCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in Matching) (Target, error) { return env.compartmentTarget(in.ID) },
	Record: func(in Matching) audit.Fields { return audit.Fields{"compartment": in.ID.String()} },
	Do: func(env *Env, in Matching) (*OracleNoun, error) {
		c, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OracleCompartment, in.ID)
		switch {
		case err != nil:
			return nil, err
		case c.State != iam.OracleDeleted:
			return nil, fault.Of(fault.Conflict, "state", c.State)
		case !env.Now.Before(c.Expires):
			return nil, fault.Of(fault.NotFound, string(iam.OracleCompartment), in.ID.String())
		}
		if err := matches(in.IfMatch, oracleNoun(c).ETag); err != nil {
			return nil, err
		}
		if _, err := env.openCompartment(compartmentOCID(c.Account, c.Parent)); err != nil {
			return nil, fault.Of(fault.Conflict, "state", "the parent is deleted")
		}
		if err := env.nounQuota(iam.OracleCompartment, "Compartments", env.oracleLimits.Compartments); err != nil {
			return nil, err
		}
		c.State, c.Slot, c.Changed, c.Expires = iam.OracleActive, compartmentSlot(c.Parent, c.Name), env.Now, time.Time{}
		return oracleNoun(c), env.Tx.UpdateOracleNoun(c)
	},
}

// OracleMoveIn is the input of MoveCompartment.
type OracleMoveIn struct {
	Matching
	To    string // OCID
	Retry Retry
}

// MoveCompartment moves a compartment, with all that lies in it, into another. Policy
// must allow it on the lowest compartment above both places.
//
// Errors: NotFound; Exists among the new siblings; Conflict when it would lie in
// itself; Limit of depth.
var MoveCompartment = Op[OracleMoveIn, *OracleNoun]{
	Name:   "MoveCompartment",
	Grants: Names{AWS: "warifu:MoveCompartment", OCI: "MoveCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleMoveIn) (Target, error) {
		t, err := env.compartmentTarget(in.ID)
		if err != nil {
			return t, err
		}
		to, err := env.inCompartment(t.Noun, in.To)
		t.Path = sharedPath(t.oraclePath(env.Call.Caller.Account), to.oraclePath(env.Call.Caller.Account))
		return t, err
	},
	Record: func(in OracleMoveIn) audit.Fields {
		return audit.Fields{"compartment": in.ID.String(), "targetCompartmentId": clipped(in.To)}
	},
	Do: func(env *Env, in OracleMoveIn) (*OracleNoun, error) {
		return once(env, "MoveCompartment", in.Retry, func() (*OracleNoun, error) {
			c, err := env.openNoun(iam.OracleCompartment, in.Matching)
			if err != nil {
				return nil, err
			}
			to, err := env.openCompartment(in.To)
			if err != nil {
				return nil, err
			}
			if err := env.fits(c, to); err != nil {
				return nil, err
			}
			c.Parent, c.Slot, c.Changed = to, compartmentSlot(to, c.Name), env.Now
			return oracleNoun(c), env.Tx.UpdateOracleNoun(c)
		})
	},
}

// fits refuses a move into oneself, or one that makes the tree too deep.
func (env *Env) fits(c *iam.OracleNoun, to name.ID) error {
	if to != 0 {
		path, err := env.Tx.OracleCompartmentPath(c.Account, to)
		if err != nil {
			return err
		}
		for i := range path {
			if path[i].ID == c.ID {
				return fault.Of(fault.Conflict, "state", "a compartment cannot lie in itself")
			}
		}
	}
	all, err := env.Tx.OracleNouns(c.Account, iam.OracleCompartment)
	if err != nil {
		return err
	}
	return env.fitsBelow(to, heightOf(all, c.ID))
}

// heightOf is how many levels a compartment and what lies in it take.
func heightOf(all []iam.OracleNoun, id name.ID) int {
	most := 0
	for i := range all {
		if all[i].Parent == id && all[i].State == iam.OracleActive {
			most = max(most, heightOf(all, all[i].ID))
		}
	}
	return most + 1
}

// sharedPath is what two places have in common; a compartment does not hold itself.
func sharedPath(from, to string) string {
	a, b := strings.Split(strings.Trim(from, "/"), "/"), strings.Split(strings.Trim(to, "/"), "/")
	a = a[:max(1, len(a)-1)]
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return "/" + strings.Join(a[:n], "/") + "/"
}

// bodyOf spells the body of a noun.
func bodyOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fault.Wrap(err, "spell a noun")
	}
	return string(b), nil
}

// GetOracleWorkRequest tells of work that has been done: compartments are deleted and
// moved before the answer. The id is the compartment's.
//
// Errors: NotFound.
var GetOracleWorkRequest = Op[Matching, *OracleNoun]{
	Name:   "GetWorkRequest",
	Grants: Names{AWS: "warifu:GetCompartment", OCI: "GetWorkRequest"},
	Target: func(env *Env, in Matching) (Target, error) { return env.compartmentTarget(in.ID) },
	Do: func(env *Env, in Matching) (*OracleNoun, error) {
		c, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OracleCompartment, in.ID)
		if err != nil {
			return nil, err
		}
		return oracleNoun(c), nil
	},
}

// ListOracleWorkRequests lists the work that was done on compartments in another: those
// that were deleted there.
//
// Errors: NotFound.
var ListOracleWorkRequests = Op[OracleListIn, page.Page[OracleNoun]]{
	Name:   "ListWorkRequests",
	Grants: Names{AWS: "warifu:ListCompartments", OCI: "ListWorkRequests"},
	Target: func(env *Env, in OracleListIn) (Target, error) {
		return env.inCompartment("compartments", in.Compartment)
	},
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleNoun], err error) {
		parent, err := env.openCompartment(in.Compartment)
		if err != nil {
			return out, err
		}
		all, err := env.Tx.OracleNouns(env.Call.Caller.Account, iam.OracleCompartment)
		if err != nil {
			return out, err
		}
		var shown []OracleNoun
		for i := range all {
			if n := &all[i]; n.Parent == parent && n.State == iam.OracleDeleted && (in.ID == 0 || n.ID == in.ID) {
				shown = append(shown, *oracleNoun(n))
			}
		}
		return pagedNouns(env, "ListWorkRequests", in.OracleList, shown)
	},
}
