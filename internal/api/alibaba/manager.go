package alibaba

import (
	"strings"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
)

// managerActions are those of ResourceManager: resource groups, and policies that are
// attached in them.
func managerActions() []action {
	of := serviceManager
	attach, detach := map[string]action{}, map[string]action{}
	for kind, op := range map[string]struct {
		attach, detach ops.Op[ops.AttachIn, struct{}]
	}{
		"IMSUser": {ops.AttachPolicyToUser, ops.DetachPolicyFromUser}, "IMSGroup": {ops.AttachPolicyToGroup, ops.DetachPolicyFromGroup},
		"ServiceRole": {ops.AttachPolicyToRole, ops.DetachPolicyFromRole},
	} {
		attach[kind] = bind(of, "AttachPolicy", op.attach, (*managedAttachInput).in, nothingMore)
		detach[kind] = bind(of, "DetachPolicy", op.detach, (*managedAttachInput).in, nothingMore)
	}
	pick := func(all map[string]action) func(*managedAttachInput) (action, error) {
		return func(s *managedAttachInput) (action, error) {
			a, ok := all[s.PrincipalType]
			if !ok {
				return a, errPrincipalType()
			}
			return a, nil
		}
	}
	whole := func(sc *scene, g *iam.ResourceGroup) wholeGroupOutput {
		return wholeGroupOutput{newWholeGroup(sc, g, "OK")}
	}
	return []action{
		choice(of, "AttachPolicy", pick(attach), attach["IMSUser"]),
		choice(of, "DetachPolicy", pick(detach), detach["IMSUser"]),
		bind(of, "ListPolicyAttachments", ops.ListPolicyAttachments, (*attachmentsInput).in, attachmentsAnswer),
		bind(of, "CreateResourceGroup", ops.CreateResourceGroup, (*createGroupOfResources).in, whole),
		bind(of, "GetResourceGroup", ops.GetResourceGroup, (*getGroupOfResources).in, func(sc *scene, g *iam.ResourceGroup) taggedGroupOutput {
			return taggedGroupOutput{taggedGroup{newWholeGroup(sc, g, "OK"), newTags(g.Tags)}}
		}),
		bind(of, "UpdateResourceGroup", ops.UpdateResourceGroup, (*updateGroupOfResources).in, func(sc *scene, g *iam.ResourceGroup) resourcesHeadOutput {
			return resourcesHeadOutput{newGroupHead(sc, g)}
		}),
		bind(of, "DeleteResourceGroup", ops.DeleteResourceGroup, (*groupOfResources).in, func(sc *scene, g *iam.ResourceGroup) wholeGroupOutput {
			return wholeGroupOutput{newWholeGroup(sc, g, "PendingDelete")}
		}),
		bind(of, "ListResourceGroups", ops.ListResourceGroups, (*groupsOfResources).in, groupsAnswer),
	}
}

func errPrincipalType() error {
	return &failure{400, "InvalidParameter.PrincipalType", `The parameter - "PrincipalType" must be IMSUser, IMSGroup or ServiceRole.`}
}

// scopeOf is the resource group of a name; the account's id stands for the account.
func scopeOf(sc *scene, group string) (name.ID, error) {
	if group == "" || group == sc.Caller.Account.UID() {
		return 0, nil
	}
	id, ok := name.ParseResourceGroupID(group)
	if !ok {
		return 0, &failure{404, "EntityNotExist.ResourceGroup", "The resource group does not exist: " + group + "."}
	}
	return id, nil
}

// principalKinds are the kinds of principal by what ResourceManager calls them, with
// what stands before the domain in a principal's name.
var principalKinds = []struct {
	typ    string
	kind   iam.PrincipalKind
	before string
}{{"IMSUser", iam.KindUser, ""}, {"IMSGroup", iam.KindGroup, "group."}, {"ServiceRole", iam.KindRole, "role."}}

// roleDomain is that of roles, which differs from the default domain in its end.
func roleDomain(domain string) string {
	return strings.TrimSuffix(domain, ".onaliyun.com") + ".onaliyunservice.com"
}

// principalName spells a principal as ResourceManager does.
func principalName(sc *scene, kind iam.PrincipalKind, called string) (typ, spelled string) {
	for _, k := range principalKinds {
		if k.kind == kind {
			domain := sc.domain()
			if kind == iam.KindRole {
				domain = roleDomain(domain)
			}
			return k.typ, called + "@" + k.before + domain
		}
	}
	return "", called
}

// principal reads a principal's name.
func principal(sc *scene, typ, spelled string) (iam.PrincipalKind, ops.Ref, error) {
	for _, k := range principalKinds {
		if k.typ != typ {
			continue
		}
		called, domain, _ := strings.Cut(spelled, "@")
		rest, ok := strings.CutPrefix(domain, k.before)
		for _, own := range []string{sc.domain(), name.Domain(sc.Caller.Account, "")} {
			if k.kind == iam.KindRole {
				own = roleDomain(own)
			}
			if ok && called != "" && rest == own {
				return k.kind, ops.Ref{Name: called}, sc.failed
			}
		}
		return "", ops.Ref{}, &failure{404, "EntityNotExist." + capital(string(k.kind)), "The principal does not exist: " + spelled + "."}
	}
	return "", ops.Ref{}, errPrincipalType()
}

type managedAttachInput struct {
	ResourceGroupId string `req:"true"`
	PolicyType      string `req:"true"`
	PolicyName      string `req:"true" len:"1,256"`
	PrincipalType   string `req:"true"`
	PrincipalName   string `req:"true" len:"1,256"`
}

func (s *managedAttachInput) in(sc *scene) (in ops.AttachIn, err error) {
	if in.Scope, err = scopeOf(sc, s.ResourceGroupId); err != nil {
		return in, err
	}
	if _, in.Holder, err = principal(sc, s.PrincipalType, s.PrincipalName); err != nil {
		return in, err
	}
	in.Policy, err = policyARN(sc, s.PolicyType, s.PolicyName)
	return in, err
}

// numbered selects a page by its number.
type numbered struct {
	PageNumber int `range:"1,1000000"`
	PageSize   int `range:"1,100"`
}

const firstPage, usualPage = 1, 10

// numberedOut tells which page it is.
type numberedOut struct {
	PageNumber int
	PageSize   int
	TotalCount int
}

// pageOf cuts a page out of all items.
func pageOf[T any](sc *scene, all []T) ([]T, numberedOut) {
	number, size := max(sc.numbered.PageNumber, firstPage), sc.numbered.PageSize
	if size == 0 {
		size = usualPage
	}
	from := min((number-1)*size, len(all))
	return all[from:min(from+size, len(all))], numberedOut{number, size, len(all)}
}

type attachmentsInput struct {
	ResourceGroupId string
	PolicyType      string
	PolicyName      string `len:"1,256"`
	PrincipalType   string
	PrincipalName   string `len:"1,256"`
	Language        string // of descriptions, which have one only
	numbered
}

func (s *attachmentsInput) in(sc *scene) (in ops.AttachmentsIn, err error) {
	sc.numbered = s.numbered
	if s.ResourceGroupId != "" {
		scope, err := scopeOf(sc, s.ResourceGroupId)
		if err != nil {
			return in, err
		}
		in.Scope = &scope
	}
	switch {
	case s.PrincipalName != "":
		if in.Kind, in.Holder, err = principal(sc, s.PrincipalType, s.PrincipalName); err != nil {
			return in, err
		}
	case s.PrincipalType != "":
		for _, k := range principalKinds {
			if k.typ == s.PrincipalType {
				in.Kind = k.kind
			}
		}
		if in.Kind == "" {
			return in, errPrincipalType()
		}
	}
	if s.PolicyType != "" {
		vendors := s.PolicyType == system
		in.Vendors = &vendors
	}
	if s.PolicyName != "" || s.PolicyType != "" && s.PolicyType != system && s.PolicyType != custom {
		in.Policy, err = policyARN(sc, s.PolicyType, s.PolicyName)
	}
	return in, err
}

type attachment struct {
	ResourceGroupId string
	PolicyType      string
	PolicyName      string
	PrincipalType   string
	PrincipalName   string
	Description     string
	AttachDate      string
}

type attachmentList struct{ PolicyAttachment []attachment }

type attachmentsOutput struct {
	numberedOut
	PolicyAttachments attachmentList
}

func attachmentsAnswer(sc *scene, all []iam.Attachment) attachmentsOutput {
	rows, page := pageOf(sc, all)
	return attachmentsOutput{page, attachmentList{each(rows, func(t *iam.Attachment) attachment {
		kind, called := policyNames(&t.Policy)
		typ, holder := principalName(sc, t.Kind, t.Holder)
		scope := sc.Caller.Account.UID()
		if t.Scope != 0 {
			scope = name.ResourceGroupID(t.Scope)
		}
		return attachment{scope, kind, called, typ, holder, t.Policy.Description, when(t.Attached)}
	})}}
}

type groupOfResources struct {
	ResourceGroupId string `req:"true" len:"1,64"`
}

func (s *groupOfResources) in(sc *scene) (ops.ResourceGroupIn, error) {
	id, err := scopeOf(sc, s.ResourceGroupId)
	if err == nil && id == 0 {
		err = &failure{404, "EntityNotExist.ResourceGroup", "The account is no resource group."}
	}
	return ops.ResourceGroupIn{ID: id}, err
}

type getGroupOfResources struct {
	groupOfResources
	IncludeTags bool // they always are
}

type updateGroupOfResources struct {
	groupOfResources
	NewDisplayName string `req:"true" len:"1,50"`
}

func (s *updateGroupOfResources) in(sc *scene) (ops.ResourceGroupIn, error) {
	in, err := s.groupOfResources.in(sc)
	in.DisplayName = s.NewDisplayName
	return in, err
}

type createGroupOfResources struct {
	Name        string `req:"true" len:"2,50"`
	DisplayName string `req:"true" len:"1,50"`
	Tag         []tag
}

func (s *createGroupOfResources) in(*scene) (ops.ResourceGroupIn, error) {
	return ops.ResourceGroupIn{Name: s.Name, DisplayName: s.DisplayName, Tags: tagsIn(s.Tag)}, nil
}

type groupsOfResources struct {
	ResourceGroupId  string
	ResourceGroupIds []string `len:"1,64"`
	Name             string
	DisplayName      string
	Status           string
	IncludeTags      bool // they always are
	Tag              []tag
	numbered
}

func (s *groupsOfResources) in(sc *scene) (in ops.ResourceGroupsIn, err error) {
	sc.numbered, sc.status = s.numbered, s.Status
	in.Name, in.DisplayName, in.Tags = s.Name, s.DisplayName, tagsIn(s.Tag)
	for _, id := range append(s.ResourceGroupIds, s.ResourceGroupId) {
		if id == "" {
			continue
		}
		one, err := scopeOf(sc, id)
		if err != nil {
			return in, err
		}
		in.IDs = append(in.IDs, one)
	}
	switch s.Status {
	case "", "OK", "Creating", "PendingDelete", "Creating,OK":
		return in, nil
	}
	return in, &failure{400, "InvalidParameter.Status", `The parameter - "Status" must be OK, Creating or PendingDelete.`}
}

type resourcesHead struct {
	Id          string
	Name        string
	DisplayName string
	AccountId   string
	CreateDate  string
}

func newGroupHead(sc *scene, g *iam.ResourceGroup) resourcesHead {
	return resourcesHead{name.ResourceGroupID(g.ID), g.Name, g.DisplayName, sc.Caller.Account.UID(), when(g.Created)}
}

type regionStatus struct {
	RegionId string
	Status   string
}

type wholeGroup struct {
	resourcesHead
	Status         string
	RegionStatuses struct{ RegionStatus []regionStatus }
}

func newWholeGroup(sc *scene, g *iam.ResourceGroup, status string) wholeGroup {
	out := wholeGroup{resourcesHead: newGroupHead(sc, g), Status: status}
	out.RegionStatuses.RegionStatus = []regionStatus{{"cn-hangzhou", status}}
	return out
}

type wholeGroupOutput struct{ ResourceGroup wholeGroup }

type resourcesHeadOutput struct{ ResourceGroup resourcesHead }

type taggedGroup struct {
	wholeGroup
	Tags tagsOut
}

type taggedGroupOutput struct{ ResourceGroup taggedGroup }

type listedGroup struct {
	resourcesHead
	Status string
	Tags   tagsOut
}

type listedGroups struct{ ResourceGroup []listedGroup }

type resourcesOutput struct {
	numberedOut
	ResourceGroups listedGroups
}

// groupsAnswer lists resource groups, which are all in order.
func groupsAnswer(sc *scene, all []iam.ResourceGroup) resourcesOutput {
	if sc.status != "" && !strings.Contains(sc.status, "OK") {
		all = nil
	}
	rows, page := pageOf(sc, all)
	return resourcesOutput{page, listedGroups{each(rows, func(g *iam.ResourceGroup) listedGroup {
		return listedGroup{newGroupHead(sc, g), "OK", newTags(g.Tags)}
	})}}
}
