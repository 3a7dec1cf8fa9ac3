package alibaba

import (
	"cmp"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func imsGroups() []action {
	of := serviceIMS
	return []action{
		plain(of, "CreateGroup", ops.CreateRAMGroup, func(s *imsCreateGroupInput) ops.CreateRAMGroupIn {
			return ops.CreateRAMGroupIn{
				CreateGroupIn: ops.CreateGroupIn{Name: s.GroupName},
				Attributes:    iam.Attributes{DisplayName: s.DisplayName, Comments: s.Comments},
			}
		}, imsGroupAnswer),
		plain(of, "GetGroup", ops.GetRAMGroup, func(s *groupInput) ops.GroupIn { return ops.GroupIn{Group: s.ref()} }, imsGroupAnswer),
		plain(of, "UpdateGroup", ops.UpdateRAMGroup, func(s *imsUpdateGroupInput) ops.UpdateRAMGroupIn {
			return ops.UpdateRAMGroupIn{
				UpdateGroupIn: ops.UpdateGroupIn{Group: s.ref(), NewName: s.NewGroupName}, DisplayName: s.NewDisplayName, Comments: s.NewComments,
			}
		}, imsGroupAnswer),
		plain(of, "DeleteGroup", ops.DeleteRAMGroup, func(s *groupInput) ops.GroupIn { return ops.GroupIn{Group: s.ref()} }, none),
		plain(of, "ListGroups", ops.ListRAMGroups, (*listInput).listing, func(p page.Page[ops.RAMGroup]) imsGroupsOutput {
			return imsGroupsOutput{pagingOf(p.Next), imsGroupList{each(p.Items, newIMSGroup)}}
		}),
		bind(of, "AddUserToGroup", ops.JoinRAMGroup, (*imsMemberInput).in, nothingMore),
		bind(of, "RemoveUserFromGroup", ops.LeaveRAMGroup, (*imsMemberInput).in, nothingMore),
		bind(of, "ListUsersForGroup", ops.ListUsersForGroup, func(s *membersInput, _ *scene) (ops.GetGroupIn, error) {
			return ops.GetGroupIn{Group: s.ref(), Listing: s.listing()}, nil
		}, func(sc *scene, p page.Page[ops.RAMUser]) imsMembersOutput {
			return imsMembersOutput{pagingOf(p.Next), imsMemberList{each(p.Items, func(u *ops.RAMUser) imsMember {
				return imsMember{u.ID.String(), sc.upn(u.Name), u.DisplayName, ""}
			})}}
		}),
		bind(of, "ListGroupsForUser", ops.ListRAMGroupsForUser, func(s *upnInput, sc *scene) (ops.GroupsOfIn, error) {
			ref, err := sc.user(s.UserPrincipalName)
			return ops.GroupsOfIn{User: ref, Listing: everything}, err
		}, func(_ *scene, p page.Page[ops.RAMGroup]) imsJoinedOutput {
			return imsJoinedOutput{imsJoinedList{each(p.Items, func(g *ops.RAMGroup) imsJoined {
				return imsJoined{g.ID.String(), g.Name, g.DisplayName, g.Comments, ""}
			})}}
		}),
	}
}

type imsGroup struct {
	groupHead
	DisplayName string
	UpdateDate  string
}

func newIMSGroup(g *ops.RAMGroup) imsGroup {
	return imsGroup{groupHead{g.ID.String(), g.Name, g.Comments, when(g.Created)}, g.DisplayName, cmp.Or(when(g.Updated), when(g.Created))}
}

type imsGroupOutput struct{ Group imsGroup }

func imsGroupAnswer(g *ops.RAMGroup) imsGroupOutput { return imsGroupOutput{newIMSGroup(g)} }

type imsGroupList struct{ Group []imsGroup }

type imsGroupsOutput struct {
	paging
	Groups imsGroupList
}

type imsMember struct {
	UserId            string
	UserPrincipalName string
	DisplayName       string
	JoinDate          string
}

type imsMemberList struct{ User []imsMember }

type imsMembersOutput struct {
	paging
	Users imsMemberList
}

type imsJoined struct {
	GroupId     string
	GroupName   string
	DisplayName string
	Comments    string
	JoinDate    string
}

type imsJoinedList struct{ Group []imsJoined }

type imsJoinedOutput struct{ Groups imsJoinedList }

type imsCreateGroupInput struct {
	GroupName   string `req:"true" len:"1,64" chars:"A-Za-z0-9._-"`
	DisplayName string `len:"1,128"`
	Comments    string `len:"1,128"`
}

type imsUpdateGroupInput struct {
	groupInput
	NewGroupName   string  `len:"1,64" chars:"A-Za-z0-9._-"`
	NewDisplayName *string `len:"1,128"`
	NewComments    *string `len:"1,128"`
}

type imsMemberInput struct {
	groupInput
	UserPrincipalName string `req:"true" len:"1,192"`
}

func (s *imsMemberInput) in(sc *scene) (ops.MemberIn, error) {
	user, err := sc.user(s.UserPrincipalName)
	return ops.MemberIn{Group: s.ref(), User: user}, err
}
