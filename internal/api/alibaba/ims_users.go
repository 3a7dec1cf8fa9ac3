package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func imsUsers() []action {
	of := serviceIMS
	byName := bind(of, "GetUser", ops.GetRAMUser, func(s *imsGetUserInput, sc *scene) (ops.UserIn, error) {
		ref, err := sc.user(s.UserPrincipalName)
		if id, ok := name.ParseID(s.UserId); s.UserId != "" {
			if ref = (ops.Ref{ID: id}); !ok {
				ref = ops.Ref{Name: s.UserId} // nobody's: names with 18 digits that are no id are refused below
				err = &failure{404, "EntityNotExist.User", "The user does not exist: " + s.UserId + "."}
			}
		}
		return ops.UserIn{User: ref}, err
	}, imsUserAnswer)
	byKey := bind(of, "GetUser", ops.GetUserOfKey, func(s *imsGetUserInput, _ *scene) (ops.KeyOwnerIn, error) {
		return ops.KeyOwnerIn{Key: s.UserAccessKeyId}, nil
	}, imsUserAnswer)
	return []action{
		bind(of, "CreateUser", ops.CreateRAMUser, (*imsCreateUserInput).in, func(sc *scene, u *ops.RAMUser) imsCreatedOutput {
			return imsCreatedOutput{imsCreated{newIMSUser(sc, u), newTags(u.Tags)}}
		}),
		choice(of, "GetUser", func(s *imsGetUserInput) (action, error) {
			given := 0
			for _, v := range []string{s.UserPrincipalName, s.UserId, s.UserAccessKeyId} {
				if v != "" {
					given++
				}
			}
			if given != 1 {
				return byName, &failure{400, "MissingParameter", "Exactly one of UserPrincipalName, UserId and UserAccessKeyId must be specified."}
			}
			if s.UserAccessKeyId != "" {
				return byKey, nil
			}
			return byName, nil
		}, byName, byKey),
		bind(of, "UpdateUser", ops.UpdateRAMUser, (*imsUpdateUserInput).in, func(sc *scene, u *ops.RAMUser) imsUpdatedOutput {
			return imsUpdatedOutput{newIMSUser(sc, u)}
		}),
		bind(of, "DeleteUser", ops.DeleteRAMUser, (*imsUserIDInput).in, nothingMore),
		bind(of, "ListUsers", ops.ListRAMUsers, (*imsListUsersInput).in, func(sc *scene, p page.Page[ops.RAMUser]) imsUsersOutput {
			return imsUsersOutput{pagingOf(p.Next), imsUserList{each(p.Items, func(u *ops.RAMUser) imsListed {
				return imsListed{newIMSUser(sc, u), active, newTags(u.Tags)}
			})}}
		}),
		bind(of, "ListUserBasicInfos", ops.ListRAMUsers, (*imsListUsersInput).in, func(sc *scene, p page.Page[ops.RAMUser]) imsBasicsOutput {
			return imsBasicsOutput{pagingOf(p.Next), imsBasicList{each(p.Items, func(u *ops.RAMUser) imsBasic {
				return imsBasic{u.ID.String(), sc.upn(u.Name), u.DisplayName, active}
			})}}
		}),
	}
}

// active is the status of users: none is frozen here.
const active = "active"

type imsUser struct {
	UserId            string
	UserPrincipalName string
	DisplayName       string
	MobilePhone       string
	Email             string
	Comments          string
	CreateDate        string
	UpdateDate        string
	LastLoginDate     string
	ProvisionType     string
}

func newIMSUser(sc *scene, u *ops.RAMUser) imsUser {
	return imsUser{
		u.ID.String(), sc.upn(u.Name), u.DisplayName, u.Phone, u.Email, u.Comments, when(u.Created),
		when(updated(u.User, u.Attributes)), when(u.PasswordUsed), "Manual",
	}
}

type imsCreated struct {
	imsUser
	Tags tagsOut
}

type imsCreatedOutput struct{ User imsCreated }

type imsGot struct {
	imsUser
	UserName string
	Tags     tagsOut
}

type imsUserOutput struct{ User imsGot }

func imsUserAnswer(sc *scene, u *ops.RAMUser) imsUserOutput {
	return imsUserOutput{imsGot{newIMSUser(sc, u), u.Name, newTags(u.Tags)}}
}

type imsUpdatedOutput struct{ User imsUser }

type imsListed struct {
	imsUser
	Status string
	Tags   tagsOut
}

type imsUserList struct{ User []imsListed }

type imsUsersOutput struct {
	paging
	Users imsUserList
}

type imsBasic struct {
	UserId            string
	UserPrincipalName string
	DisplayName       string
	Status            string
}

type imsBasicList struct{ UserBasicInfo []imsBasic }

type imsBasicsOutput struct {
	paging
	UserBasicInfos imsBasicList
}

// upnInput names a user that must be named.
type upnInput struct {
	UserPrincipalName string `req:"true" len:"1,192"`
}

func (s *upnInput) in(sc *scene) (ops.UserIn, error) {
	ref, err := sc.user(s.UserPrincipalName)
	return ops.UserIn{User: ref}, err
}

// ownUPNInput names a user, or means the caller.
type ownUPNInput struct {
	UserPrincipalName string `len:"1,192"`
}

func (s *ownUPNInput) in(sc *scene) (ops.UserIn, error) {
	ref, err := sc.user(s.UserPrincipalName)
	return ops.UserIn{User: ref}, err
}

type imsCreateUserInput struct {
	UserPrincipalName string `req:"true" len:"1,192"`
	DisplayName       string `len:"1,128"`
	MobilePhone       string `len:"1,32" chars:"0-9+-"`
	Email             string `len:"1,128"`
	Comments          string `len:"1,128"`
	Tag               []tag
}

func (s *imsCreateUserInput) in(sc *scene) (ops.CreateRAMUserIn, error) {
	called, err := newName(sc, s.UserPrincipalName)
	return ops.CreateRAMUserIn{
		CreateUserIn: ops.CreateUserIn{Name: called, Tags: tagsIn(s.Tag)}, Email: s.Email,
		Attributes: iam.Attributes{DisplayName: s.DisplayName, Comments: s.Comments, Phone: s.MobilePhone},
	}, err
}

// newName is the name of a user that is to be: in a domain of the account.
func newName(sc *scene, upn string) (string, error) {
	called, domain := name.SplitUPN(upn)
	if domain == "" || domain != sc.domain() && domain != name.Domain(sc.Caller.Account, "") {
		return "", &failure{400, "InvalidParameter.UserPrincipalName.Format", `The parameter - "UserPrincipalName" must end in @` + sc.domain() + "."}
	}
	return called, sc.failed
}

type imsGetUserInput struct {
	UserPrincipalName string `len:"1,192"`
	UserId            string `len:"1,64"`
	UserAccessKeyId   string `len:"1,128"`
}

// imsUserIDInput names a user by its principal name or its id.
type imsUserIDInput struct {
	UserPrincipalName string `len:"1,192"`
	UserId            string `len:"1,64"`
}

func (s *imsUserIDInput) in(sc *scene) (ops.UserIn, error) {
	switch id, ok := name.ParseID(s.UserId); {
	case s.UserPrincipalName == "" && s.UserId == "":
		return ops.UserIn{}, &failure{400, "MissingParameter", "One of UserPrincipalName and UserId must be specified."}
	case s.UserPrincipalName != "":
		ref, err := sc.user(s.UserPrincipalName)
		return ops.UserIn{User: ref}, err
	case !ok:
		return ops.UserIn{}, &failure{404, "EntityNotExist.User", "The user does not exist: " + s.UserId + "."}
	default:
		return ops.UserIn{User: ops.Ref{ID: id}}, nil
	}
}

type imsUpdateUserInput struct {
	imsUserIDInput
	NewUserPrincipalName string  `len:"1,192"`
	NewDisplayName       *string `len:"1,128"`
	NewMobilePhone       *string `len:"1,32" chars:"0-9+-"`
	NewEmail             *string `len:"1,128"`
	NewComments          *string `len:"1,128"`
}

func (s *imsUpdateUserInput) in(sc *scene) (out ops.UpdateRAMUserIn, err error) {
	of, err := s.imsUserIDInput.in(sc)
	if err != nil {
		return out, err
	}
	out = ops.UpdateRAMUserIn{Email: s.NewEmail, DisplayName: s.NewDisplayName, Comments: s.NewComments, Phone: s.NewMobilePhone}
	out.User = of.User
	if s.NewUserPrincipalName != "" {
		out.NewName, err = newName(sc, s.NewUserPrincipalName)
	}
	return out, err
}

type imsListUsersInput struct {
	listInput
	Status string
	Tag    []tag
}

func (s *imsListUsersInput) in(*scene) (ops.Listing, error) {
	if s.Status != "" && s.Status != active && s.Status != "active,freeze" {
		return ops.Listing{}, &failure{400, "InvalidParameter.Status", `The parameter - "Status" must be active or active,freeze: no user is frozen here.`}
	}
	if len(s.Tag) > 0 {
		return ops.Listing{}, &failure{400, "InvalidParameter.Tag", "Users are not listed by tag here."}
	}
	l := s.listing()
	if l.Limit == 0 {
		l.Limit = ops.MaxPage // IMS's default; RAM's is 100
	}
	return l, nil
}
