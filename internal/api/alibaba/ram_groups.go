package alibaba

import (
	"cmp"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func ramGroups() []action {
	of := serviceRAM
	return []action{
		plain(of, "CreateGroup", ops.CreateRAMGroup, func(s *createGroupInput) ops.CreateRAMGroupIn {
			return ops.CreateRAMGroupIn{CreateGroupIn: ops.CreateGroupIn{Name: s.GroupName}, Attributes: iam.Attributes{Comments: s.Comments}}
		}, func(g *ops.RAMGroup) createdGroup { return createdGroup{newGroup(g).groupHead} }),
		plain(of, "GetGroup", ops.GetRAMGroup, func(s *groupInput) ops.GroupIn { return ops.GroupIn{Group: s.ref()} }, groupAnswer),
		plain(of, "UpdateGroup", ops.UpdateRAMGroup, func(s *updateGroupInput) ops.UpdateRAMGroupIn {
			return ops.UpdateRAMGroupIn{UpdateGroupIn: ops.UpdateGroupIn{Group: s.ref(), NewName: s.NewGroupName}, Comments: s.NewComments}
		}, groupAnswer),
		plain(of, "DeleteGroup", ops.DeleteRAMGroup, func(s *groupInput) ops.GroupIn { return ops.GroupIn{Group: s.ref()} }, none),
		plain(of, "ListGroups", ops.ListRAMGroups, (*listInput).listing, func(p page.Page[ops.RAMGroup]) groupsOutput {
			return groupsOutput{pagingOf(p.Next), groupList{each(p.Items, newGroup)}}
		}),
		plain(of, "AddUserToGroup", ops.JoinRAMGroup, (*memberInput).in, none),
		plain(of, "RemoveUserFromGroup", ops.LeaveRAMGroup, (*memberInput).in, none),
		plain(of, "ListUsersForGroup", ops.ListUsersForGroup, func(s *membersInput) ops.GetGroupIn {
			return ops.GetGroupIn{Group: s.ref(), Listing: s.listing()}
		}, func(p page.Page[ops.RAMUser]) membersOutput {
			return membersOutput{pagingOf(p.Next), memberList{each(p.Items, func(u *ops.RAMUser) member {
				return member{u.Name, u.DisplayName, ""}
			})}}
		}),
		plain(of, "ListGroupsForUser", ops.ListRAMGroupsForUser, func(s *userInput) ops.GroupsOfIn {
			return ops.GroupsOfIn{User: s.ref(), Listing: everything}
		}, func(p page.Page[ops.RAMGroup]) joinedOutput {
			return joinedOutput{joinedList{each(p.Items, func(g *ops.RAMGroup) joined {
				return joined{g.ID.String(), g.Name, g.Comments, ""}
			})}}
		}),
	}
}

type groupHead struct {
	GroupId    string
	GroupName  string
	Comments   string
	CreateDate string
}

type group struct {
	groupHead
	UpdateDate string
}

func newGroup(g *ops.RAMGroup) group {
	return group{groupHead{g.ID.String(), g.Name, g.Comments, when(g.Created)}, cmp.Or(when(g.Updated), when(g.Created))}
}

type createdGroup struct{ Group groupHead }

type groupOutput struct{ Group group }

func groupAnswer(g *ops.RAMGroup) groupOutput { return groupOutput{newGroup(g)} }

type groupList struct{ Group []group }

type groupsOutput struct {
	paging
	Groups groupList
}

// member is a user in the list of a group. When somebody joined is not kept.
type member struct {
	UserName    string
	DisplayName string
	JoinDate    string
}

type memberList struct{ User []member }

type membersOutput struct {
	paging
	Users memberList
}

// joined is a group in the list of a user.
type joined struct {
	GroupId   string
	GroupName string
	Comments  string
	JoinDate  string
}

type joinedList struct{ Group []joined }

type joinedOutput struct{ Groups joinedList }

type createGroupInput struct {
	GroupName string `req:"true" len:"1,64" chars:"A-Za-z0-9._-"`
	Comments  string `len:"1,128"`
}

type updateGroupInput struct {
	groupInput
	NewGroupName string  `len:"1,64" chars:"A-Za-z0-9._-"`
	NewComments  *string `len:"1,128"`
}

type memberInput struct {
	groupInput
	UserName string `req:"true" len:"1,64" chars:"A-Za-z0-9._@+=,-"`
}

func (s *memberInput) in() ops.MemberIn {
	return ops.MemberIn{Group: s.ref(), User: ops.Ref{Name: s.UserName}}
}

type membersInput struct {
	groupInput
	listInput
}
