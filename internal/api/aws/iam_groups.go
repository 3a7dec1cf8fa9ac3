package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func groupActions() []action {
	return []action{
		iamAction("CreateGroup", ops.CreateGroup, (*createGroupInput).in, func(g *iam.Group) groupOutput {
			return groupOutput{newGroup(g)}
		}),
		iamAction("GetGroup", ops.GetGroup, func(s *groupListInput) ops.GetGroupIn {
			return ops.GetGroupIn{Group: s.ref(), Listing: s.listing("")}
		}, groupMembers),
		iamAction("ListGroups", ops.ListGroups, (*pathListInput).in, groupPage),
		iamAction("UpdateGroup", ops.UpdateGroup, func(s *updateGroupInput) ops.UpdateGroupIn {
			return ops.UpdateGroupIn{Group: s.ref(), NewName: s.NewGroupName, NewPath: s.NewPath}
		}, none),
		iamAction("DeleteGroup", ops.DeleteGroup, func(s *groupInput) ops.GroupIn {
			return ops.GroupIn{Group: s.ref()}
		}, none),
		iamAction("AddUserToGroup", ops.AddUserToGroup, (*memberInput).in, none),
		iamAction("RemoveUserFromGroup", ops.RemoveUserFromGroup, (*memberInput).in, none),
		iamAction("ListGroupsForUser", ops.ListGroupsForUser, func(s *userListInput) ops.GroupsOfIn {
			return ops.GroupsOfIn{User: s.ref(), Listing: s.listing("")}
		}, groupPage),
	}
}

// group is a group in an answer.
type group struct {
	Path       string
	GroupName  string
	GroupId    string
	Arn        string
	CreateDate time.Time
}

func newGroup(g *iam.Group) group {
	return group{Path: g.Path, GroupName: g.Name, GroupId: g.ID.Unique(name.PrefixGroup), Arn: g.ARN(), CreateDate: g.Created}
}

type groupOutput struct{ Group group }

type groupsOutput struct {
	Groups []group `aws:",keep"`
	paging
}

func groupPage(p page.Page[iam.Group]) groupsOutput {
	out := groupsOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		out.Groups = append(out.Groups, newGroup(&p.Items[i]))
	}
	return out
}

type groupMembersOutput struct {
	Group group
	Users []user `aws:",keep"`
	paging
}

func groupMembers(g ops.GroupMembers) groupMembersOutput {
	out := groupMembersOutput{Group: newGroup(g.Group), paging: pagingOf(g.Members.Next)}
	for i := range g.Members.Items {
		out.Users = append(out.Users, newUser(&g.Members.Items[i]))
	}
	return out
}

type createGroupInput struct {
	groupInput
	Path string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
}

func (s *createGroupInput) in() ops.CreateGroupIn {
	return ops.CreateGroupIn{Name: s.GroupName, Path: s.Path}
}

// groupInput names a group.
type groupInput struct {
	GroupName string `aws:",required" len:"1,128" pattern:"[\\w+=,.@-]+"`
}

func (s *groupInput) ref() ops.Ref { return ops.Ref{Name: s.GroupName} }

// groupListInput is a list that belongs to a group.
type groupListInput struct {
	groupInput
	listInput
}

// userListInput is a list that belongs to a user.
type userListInput struct {
	userInput
	listInput
}

type updateGroupInput struct {
	groupInput
	NewGroupName string `len:"1,128" pattern:"[\\w+=,.@-]+"`
	NewPath      string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"`
}

type memberInput struct {
	groupInput
	userInput
}

func (s *memberInput) in() ops.MemberIn {
	return ops.MemberIn{Group: s.groupInput.ref(), User: s.userInput.ref()}
}
