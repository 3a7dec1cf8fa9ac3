package alibaba

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func ramUsers() []action {
	of := serviceRAM
	return []action{
		plain(of, "CreateUser", ops.CreateRAMUser, (*createUserInput).in, func(u *ops.RAMUser) createdUser { return createdUser{newUser(u).userHead} }),
		plain(of, "GetUser", ops.GetRAMUser, (*userInput).in, func(u *ops.RAMUser) loginUserOutput {
			return loginUserOutput{loginUser{newUser(u), when(u.PasswordUsed)}}
		}),
		plain(of, "UpdateUser", ops.UpdateRAMUser, (*updateUserInput).in, func(u *ops.RAMUser) userOutput { return userOutput{newUser(u)} }),
		plain(of, "DeleteUser", ops.DeleteRAMUser, (*userInput).in, none),
		plain(of, "ListUsers", ops.ListRAMUsers, (*listInput).listing, func(p page.Page[ops.RAMUser]) usersOutput {
			return usersOutput{pagingOf(p.Next), userList{each(p.Items, newUser)}}
		}),
	}
}

type userHead struct {
	UserId      string
	UserName    string
	DisplayName string
	MobilePhone string
	Email       string
	Comments    string
	CreateDate  string
}

type user struct {
	userHead
	UpdateDate string
}

func newUser(u *ops.RAMUser) user {
	return user{userHead{
		u.ID.String(), u.Name, u.DisplayName, u.Phone, u.Email, u.Comments, when(u.Created),
	}, when(updated(u.User, u.Attributes))}
}

// updated is when somebody was last changed: made, if never since.
func updated(u iam.User, x iam.Attributes) time.Time {
	if x.Updated.IsZero() {
		return u.Created
	}
	return x.Updated
}

type createdUser struct{ User userHead }

type userOutput struct{ User user }

type loginUser struct {
	user
	LastLoginDate string
}

type loginUserOutput struct{ User loginUser }

type userList struct{ User []user }

type usersOutput struct {
	paging
	Users userList
}

type createUserInput struct {
	UserName    string `req:"true" len:"1,64" chars:"A-Za-z0-9._-"`
	DisplayName string `len:"1,128"`
	MobilePhone string `len:"1,32" chars:"0-9+-"`
	Email       string `len:"1,128"`
	Comments    string `len:"1,128"`
}

func (s *createUserInput) in() ops.CreateRAMUserIn {
	return ops.CreateRAMUserIn{
		CreateUserIn: ops.CreateUserIn{Name: s.UserName}, Email: s.Email,
		Attributes: iam.Attributes{DisplayName: s.DisplayName, Comments: s.Comments, Phone: s.MobilePhone},
	}
}

type updateUserInput struct {
	userInput
	NewUserName    string  `len:"1,64" chars:"A-Za-z0-9._-"`
	NewDisplayName *string `len:"1,128"`
	NewMobilePhone *string `len:"1,32" chars:"0-9+-"`
	NewEmail       *string `len:"1,128"`
	NewComments    *string `len:"1,128"`
}

func (s *updateUserInput) in() ops.UpdateRAMUserIn {
	return ops.UpdateRAMUserIn{
		UpdateUserIn: ops.UpdateUserIn{User: s.ref(), NewName: s.NewUserName},
		Email:        s.NewEmail, DisplayName: s.NewDisplayName, Comments: s.NewComments, Phone: s.NewMobilePhone,
	}
}
