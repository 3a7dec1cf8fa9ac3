package ops

import (
	"maps"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
)

// Who may give a factor to a user, and who may take one away.

// bindingAllowed refuses to bind a factor to a user where the account says that
// nobody but the user may (iam.Preferences.OwnBindingOnly), at every door, and
// where the user has all that it may have and keeps it. own says that it is the user who
// binds; whoever holds an administrator's link is not known to be.
//
// Errors: Unmodifiable, noun "binding by others"; Limit, noun "MFADevicesPerUser".
func (env *Env) bindingAllowed(u *iam.User, own bool) error {
	wanted, err := env.Tx.Preferences(u.Account)
	if err != nil {
		return err
	}
	if wanted.OwnBindingOnly && !own {
		return &fault.Error{Kind: fault.Unmodifiable, Noun: "binding by others", What: "in this account only the user itself may bind an MFA device"}
	}
	n, err := env.Tx.FactorCount(u.Account, u.ID)
	if err == nil && n >= wanted.FactorsPerUser && !env.recovering {
		err = limited("MFADevicesPerUser", wanted.FactorsPerUser)
	}
	return err
}

// isOwn reports whether the caller is the user itself, and no role that the user
// took on.
func (env *Env) isOwn(u *iam.User) bool {
	c := &env.Call.Caller
	return c.User.ID == u.ID && c.Kind != policy.RoleSession && c.Kind != policy.FederatedUser
}

// noReasonHere is what the trail says of a factor that was taken at a door whose
// operation has no place for a reason.
const noReasonHere = "none: the operation has no place for one"

// takingAllowed refuses to take a factor from a user: from one who is above the
// caller (P-8), from another without saying why, and the last one from oneself
// where the account asks for one. A user whose last factor is lost has it taken by
// an administrator. The clouds' operations have no word for the reason; who signs a
// request of theirs is not asked, and the event says so.
//
// Errors: Denied, noun "above the caller"; Invalid reason; Conflict, noun "last
// factor".
func (env *Env) takingAllowed(u *iam.User, f *iam.Factor, why string) error {
	if !env.isOwn(u) {
		if err := env.notAbove(u); err != nil {
			return err
		}
		return env.because(why)
	}
	if err := env.noWeaker(u, f); err != nil || !f.Kind.Primary() {
		return err
	}
	n, err := env.Tx.FactorCount(u.Account, u.ID)
	if err != nil || n > 1 {
		return err
	}
	wanted, err := env.Tx.Preferences(u.Account)
	if err == nil && (u.Root || wanted.MFAForLogin == iam.MFAMandatory) {
		err = &fault.Error{Kind: fault.Conflict, Noun: "last factor", Name: f.Name, What: "MFA is required here: bind another device before you remove the only one"}
	}
	return err
}

// because asks for the reason of what is done to somebody else, and sees that it
// stands in the trail.
func (env *Env) because(why string) error {
	switch {
	case strings.TrimSpace(why) == "" && env.Call.Caller.Console == nil:
		env.ev.Params = maps.Clone(env.ev.Params)
		env.ev.Params["reason"] = noReasonHere
	case strings.TrimSpace(why) == "":
		return fault.Field("reason", "reason must be given")
	case clipped(why) != why:
		return fault.Field("reason", "reason must have at most 256 bytes and no control characters")
	}
	return nil
}

// powers are the actions by which one gets every other permission of an account,
// or takes them from others. Whoever may do one of them that the caller may not
// is above the caller.
var powers = []string{
	"iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:AttachGroupPolicy", "iam:PutGroupPolicy", "iam:AddUserToGroup",
	"iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion",
	"iam:CreateUser", "iam:DeleteUser", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
	"iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:PassRole", "sts:AssumeRole",
	"warifu:SetSecurityPreferences", "warifu:CreateEnrolmentLink", "warifu:BlockUser",
}

// notAbove refuses a user who is above the caller: who may do one of powers, on
// the caller or on somebody or something that is not its own, that the caller may
// not (P-8). Policy answers for both, by the evaluator that serves requests; the
// user is supposed to have proved a factor, the caller is judged as it is. Nobody
// is above root.
//
// Errors: Denied, noun "above the caller".
func (env *Env) notAbove(u *iam.User) error {
	c := &env.Call.Caller
	if c.Kind == policy.Root || c.Kind == policy.Anonymous || env.isOwn(u) {
		return nil
	}
	above := &fault.Error{Kind: fault.Denied, Noun: "above the caller", Name: u.Name, What: "the user has permissions that you lack: somebody who has them must do this"}
	if u.Root {
		return above
	}
	target, held, err := env.supposed(iam.KindUser, Ref{ID: u.ID})
	if err != nil {
		return err
	}
	target.MFA = MFA{Known: true, Present: true, At: env.Now, Methods: []string{string(iam.MethodPasskey)}}
	for _, on := range env.others() {
		for _, action := range powers {
			if !env.would(&target, held, action, on) {
				continue
			}
			may, err := env.may(action, Target{Resources: []string{on}})
			if err != nil {
				return err
			}
			if !may {
				return above
			}
		}
	}
	return nil
}

// lend reads the user whose credentials an operation makes or opens: whoever has
// them is that user to the server. It refuses one who is above the caller (P-8).
// What merely shuts a user out, such as switching a key off, is for everybody whom
// policy allows it: when a key leaks, whoever sees it first must be able to act.
//
// Errors: NotFound; Denied, noun "above the caller".
func (env *Env) lend(r Ref) (*iam.User, error) {
	u, err := env.owner(r)
	if err == nil {
		err = env.notAbove(u)
	}
	return u, err
}

// mayEnd refuses to delete or block a user: oneself, and one who is above the
// caller. So there is always somebody left who may do all that the user might:
// the last administrator stays.
//
// Errors: Unmodifiable, noun "oneself"; Denied, noun "above the caller".
func (env *Env) mayEnd(u *iam.User) error {
	if u.ID == env.Call.Caller.ID() {
		return fault.Of(fault.Unmodifiable, "oneself", u.Name)
	}
	return env.notAbove(u)
}

// others are resources by which power over others shows: the caller, and a user,
// a group, a role and a policy of names that nobody has.
func (env *Env) others() []string {
	a := env.Call.Caller.Account
	const nobody = "warifu-nobody"
	all := []string{
		name.UserARN(a, "/", nobody), name.GroupARN(a, "/", nobody), name.RoleARN(a, "/", nobody), name.PolicyARN(a, "/", nobody),
	}
	if u := &env.Call.Caller.User; u.ID != 0 {
		all = append(all, u.ARN())
	}
	return all
}

// would reports whether policy would allow a supposed caller an action.
func (env *Env) would(c *Caller, held *principal, action, resource string) bool {
	call := env.Call
	call.Caller = *c
	grants, target := Names{AWS: action}, Target{Resources: []string{resource}}
	req := policy.Request{Principal: c.principal(), Context: &facts{call: &call, now: env.Now, target: &target, mfa: &c.MFA, grants: &grants, self: held.oracle}}
	req.Actions[aws.Language], req.Resources[aws.Language] = action, resource
	for variant := range held.spoken.variants(grants) {
		held.spoken.name(&req, c, &target, grants, variant)
		if !policy.Decide(&req, held.layers...).Allowed() {
			return false
		}
	}
	return true
}
