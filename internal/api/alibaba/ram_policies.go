package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/policy/ram"
)

func ramPolicies() []action {
	of := serviceRAM
	all := []action{
		plain(of, "CreatePolicy", ops.CreatePolicy, (*createPolicyInput).in, func(p *ops.PolicyUse) createdPolicyOutput {
			return createdPolicyOutput{newPolicy(p).policyHead}
		}),
		bind(of, "GetPolicy", ops.GetRAMPolicy, (*policyInput).in, func(_ *scene, p *ops.PolicyText) policyOutput {
			head := newPolicy(&p.PolicyUse)
			return policyOutput{newVersion(&p.Version), wholePolicy{head.policyHead, head.UpdateDate, head.AttachmentCount, handed(p.Version.Document)}}
		}),
		bind(of, "ListPolicies", ops.ListPolicies, (*listPoliciesInput).in, func(_ *scene, p page.Page[ops.PolicyUse]) policiesOutput {
			return policiesOutput{pagingOf(p.Next), policyList{each(p.Items, func(p *ops.PolicyUse) taggedPolicy {
				return taggedPolicy{newPolicy(p), newTags(p.Tags)}
			})}}
		}),
		bind(of, "UpdatePolicyDescription", ops.UpdatePolicyDescription, func(s *describeInput, sc *scene) (ops.DescribePolicyIn, error) {
			return ops.DescribePolicyIn{Policy: s.own(sc), Description: s.NewDescription}, nil
		}, func(_ *scene, p *ops.PolicyUse) describedOutput {
			head := newPolicy(p)
			return describedOutput{described{head.policyHead, head.UpdateDate}}
		}),
		bind(of, "CreatePolicyVersion", ops.CreateRAMPolicyVersion, (*createVersionInput).in, func(_ *scene, v *ops.PolicyVersion) versionOutput {
			return versionOutput{newVersion(v)}
		}),
		bind(of, "GetPolicyVersion", ops.GetPolicyVersion, func(s *versionInput, sc *scene) (ops.VersionIn, error) {
			arn, err := s.arn(sc)
			return ops.VersionIn{Policy: arn, Version: s.VersionId}, err
		}, func(_ *scene, v *ops.PolicyVersion) versionOutput { return versionOutput{newVersion(v)} }),
		bind(of, "ListPolicyVersions", ops.ListRAMPolicyVersions, func(s *policyInput, sc *scene) (ops.VersionsIn, error) {
			arn, err := s.arn(sc)
			return ops.VersionsIn{Policy: arn, Listing: everything}, err
		}, func(_ *scene, p page.Page[ops.PolicyVersion]) versionsOutput {
			return versionsOutput{versionList{each(p.Items, newVersion)}}
		}),
		bind(of, "SetDefaultPolicyVersion", ops.SetDefaultPolicyVersion, (*ownVersionInput).in, nothingMore),
		bind(of, "DeletePolicyVersion", ops.DeletePolicyVersion, (*ownVersionInput).in, nothingMore),
		bind(of, "ListEntitiesForPolicy", ops.ListEntitiesForPolicy, func(s *policyInput, sc *scene) (ops.EntitiesIn, error) {
			arn, err := s.arn(sc)
			return ops.EntitiesIn{Policy: arn, Listing: everything}, err
		}, entitiesAnswer),
		deletePolicy(),
	}
	for _, a := range []struct {
		attach, detach ops.Op[ops.AttachIn, struct{}]
		list           ops.Op[ops.HeldIn, page.Page[iam.Policy]]
		to             string
	}{
		{ops.AttachPolicyToUser, ops.DetachPolicyFromUser, ops.ListAttachedUserPolicies, "User"},
		{ops.AttachPolicyToGroup, ops.DetachPolicyFromGroup, ops.ListAttachedGroupPolicies, "Group"},
		{ops.AttachPolicyToRole, ops.DetachPolicyFromRole, ops.ListAttachedRolePolicies, "Role"},
	} {
		switch a.to {
		case "User":
			all = append(all, holding[userInput](a.attach, a.detach, a.list, a.to)...)
		case "Group":
			all = append(all, holding[groupInput](a.attach, a.detach, a.list, a.to)...)
		default:
			all = append(all, holding[roleInput](a.attach, a.detach, a.list, a.to)...)
		}
	}
	return all
}

// deletePolicy deletes a policy alone, or with all its versions and attachments.
func deletePolicy() action {
	own := func(s *deletePolicyInput, sc *scene) (ops.PolicyIn, error) {
		return ops.PolicyIn{Policy: s.own(sc)}, nil
	}
	alone := bind(serviceRAM, "DeletePolicy", ops.DeleteRAMPolicy, own, nothingMore)
	cascading := bind(serviceRAM, "DeletePolicy", ops.RemovePolicy, own, nothingMore)
	return choice(serviceRAM, "DeletePolicy", func(s *deletePolicyInput) (action, error) {
		if s.CascadingDelete {
			return cascading, nil
		}
		return alone, nil
	}, alone, cascading)
}

// nothingMore is the answer of an operation without output.
func nothingMore(*scene, struct{}) struct{} { return struct{}{} }

type holderInput interface {
	userInput | groupInput | roleInput
}

// holding are the operations that give policies to one kind of holder.
func holding[H holderInput, R interface {
	*H
	ref() ops.Ref
}](attach, detach ops.Op[ops.AttachIn, struct{}], list ops.Op[ops.HeldIn, page.Page[iam.Policy]], to string) []action {
	in := func(s *attachInput[H], sc *scene) (ops.AttachIn, error) {
		scope, err := scopeOf(sc, s.ResourceGroupId)
		if err != nil {
			return ops.AttachIn{}, err
		}
		arn, err := policyARN(sc, s.PolicyType, s.PolicyName)
		return ops.AttachIn{Holder: R(&s.Holder).ref(), Policy: arn, Scope: scope}, err
	}
	return []action{
		bind(serviceRAM, "AttachPolicyTo"+to, attach, in, nothingMore),
		bind(serviceRAM, "DetachPolicyFrom"+to, detach, in, nothingMore),
		bind(serviceRAM, "ListPoliciesFor"+to, list, func(s *H, _ *scene) (ops.HeldIn, error) {
			return ops.HeldIn{Holder: R(s).ref(), Listing: everything}, nil
		}, func(_ *scene, p page.Page[iam.Policy]) heldOutput {
			return heldOutput{heldList{each(p.Items, func(p *iam.Policy) held {
				kind, called := policyNames(p)
				return held{called, kind, p.Description, version(p), ""}
			})}}
		}),
	}
}

type attachInput[H any] struct {
	Holder          H      `flat:"true"`
	PolicyName      string `req:"true" len:"1,256"`
	PolicyType      string `req:"true"`
	ResourceGroupId string
}

type policyHead struct {
	PolicyName     string
	PolicyType     string
	Description    string
	DefaultVersion string
	CreateDate     string
}

type managedPolicy struct {
	policyHead
	UpdateDate      string
	AttachmentCount int
}

func newPolicy(p *ops.PolicyUse) managedPolicy {
	kind, called := policyNames(&p.Policy)
	return managedPolicy{policyHead{called, kind, p.Description, version(&p.Policy), when(p.Created)}, when(p.Updated), p.Attached}
}

type createdPolicyOutput struct{ Policy policyHead }

type wholePolicy struct {
	policyHead
	UpdateDate      string
	AttachmentCount int
	PolicyDocument  string
}

type policyOutput struct {
	DefaultPolicyVersion policyVersion
	Policy               wholePolicy
}

type taggedPolicy struct {
	managedPolicy
	Tags tagsOut
}

type policyList struct{ Policy []taggedPolicy }

type policiesOutput struct {
	paging
	Policies policyList
}

type described struct {
	policyHead
	UpdateDate string
}

type describedOutput struct{ Policy described }

type policyVersion struct {
	VersionId        string
	IsDefaultVersion bool
	PolicyDocument   string
	CreateDate       string
}

func newVersion(v *ops.PolicyVersion) policyVersion {
	return policyVersion{v.ID(), v.Default, handed(v.Document), when(v.Created)}
}

// handed is a document as this door hands it out: comments of the RAM language byte
// for byte; AWS's language has none, so that one who wrote some in the console is
// given plain JSON. What is stored could be read when it was saved.
func handed(document string) string {
	if ram.Speaks([]byte(document)) {
		return document
	}
	text, err := ops.PlainPolicy(document)
	if err != nil {
		return document
	}
	return text
}

type versionOutput struct{ PolicyVersion policyVersion }

type versionList struct{ PolicyVersion []policyVersion }

type versionsOutput struct{ PolicyVersions versionList }

// held is a policy in the list of its holder. When it was attached is not kept.
type held struct {
	PolicyName     string
	PolicyType     string
	Description    string
	DefaultVersion string
	AttachDate     string
}

type heldList struct{ Policy []held }

type heldOutput struct{ Policies heldList }

func (s *policyInput) in(sc *scene) (ops.PolicyIn, error) {
	arn, err := s.arn(sc)
	return ops.PolicyIn{Policy: arn}, err
}

// ownPolicyInput names a policy of the account's own.
type ownPolicyInput struct {
	PolicyName string `req:"true" len:"1,128" chars:"A-Za-z0-9_+=,.@-"`
}

func (s *ownPolicyInput) own(sc *scene) string {
	arn, _ := policyARN(sc, custom, s.PolicyName)
	return arn
}

type createPolicyInput struct {
	PolicyName     string `req:"true" len:"1,128" chars:"A-Za-z0-9-"`
	Description    string `len:"1,1024"`
	PolicyDocument string `req:"true"`
	Tag            []tag
}

func (s *createPolicyInput) in() ops.CreatePolicyIn {
	return ops.CreatePolicyIn{Name: s.PolicyName, Description: s.Description, Document: s.PolicyDocument, Tags: tagsIn(s.Tag)}
}

type listPoliciesInput struct {
	PolicyType string
	listInput
}

func (s *listPoliciesInput) in(*scene) (ops.ListPoliciesIn, error) {
	scope, ok := map[string]ops.Scope{"": ops.ScopeRAM, custom: ops.ScopeOwn, system: ops.ScopeAlibaba}[s.PolicyType]
	if !ok {
		return ops.ListPoliciesIn{}, &failure{400, "InvalidParameter.PolicyType", `The parameter - "PolicyType" must be Custom or System.`}
	}
	return ops.ListPoliciesIn{Scope: scope, Listing: s.listing()}, nil
}

type describeInput struct {
	ownPolicyInput
	NewDescription string `req:"true" len:"1,1024"`
}

type deletePolicyInput struct {
	ownPolicyInput
	CascadingDelete bool
}

type createVersionInput struct {
	ownPolicyInput
	PolicyDocument string `req:"true"`
	SetAsDefault   bool
	RotateStrategy string
}

func (s *createVersionInput) in(sc *scene) (ops.CreateRAMVersionIn, error) {
	in := ops.CreateRAMVersionIn{CreateVersionIn: ops.CreateVersionIn{Policy: s.own(sc), Document: s.PolicyDocument, Default: s.SetAsDefault}}
	switch s.RotateStrategy {
	case "", "None":
	case "DeleteOldestNonDefaultVersionWhenLimitExceeded":
		in.Rotate = true
	default:
		return in, &failure{400, "InvalidParameter.RotateStrategy", `The parameter - "RotateStrategy" must be None or DeleteOldestNonDefaultVersionWhenLimitExceeded.`}
	}
	return in, nil
}

type versionInput struct {
	policyInput
	VersionId string `req:"true"`
}

type ownVersionInput struct {
	ownPolicyInput
	VersionId string `req:"true"`
}

func (s *ownVersionInput) in(sc *scene) (ops.VersionIn, error) {
	return ops.VersionIn{Policy: s.own(sc), Version: s.VersionId}, nil
}

type entityUser struct {
	UserId      string
	UserName    string
	DisplayName string
	AttachDate  string
}

type entityGroup struct {
	GroupName  string
	Comments   string
	AttachDate string
}

type entityRole struct {
	RoleId      string
	RoleName    string
	Arn         string
	Description string
	AttachDate  string
}

type entitiesOutput struct {
	Users  struct{ User []entityUser }
	Groups struct{ Group []entityGroup }
	Roles  struct{ Role []entityRole }
}

func entitiesAnswer(sc *scene, p page.Page[ops.Entity]) (out entitiesOutput) {
	out.Users.User, out.Groups.Group, out.Roles.Role = []entityUser{}, []entityGroup{}, []entityRole{}
	for _, e := range p.Items {
		switch e.Kind {
		case iam.KindUser:
			out.Users.User = append(out.Users.User, entityUser{e.ID.String(), e.Name, e.Name, ""})
		case iam.KindGroup:
			out.Groups.Group = append(out.Groups.Group, entityGroup{e.Name, "", ""})
		default:
			out.Roles.Role = append(out.Roles.Role, entityRole{e.ID.String(), e.Name, roleARN(sc.Caller.Account, e.Name), "", ""})
		}
	}
	return out
}
