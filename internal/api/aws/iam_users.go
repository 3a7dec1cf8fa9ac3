package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func userActions() []action {
	return []action{
		iamAction("CreateUser", ops.CreateUser, (*createUserInput).in, userWithTags),
		iamAction("GetUser", ops.GetUser, (*ownUserInput).in, userWithTags),
		iamAction("ListUsers", ops.ListUsers, (*pathListInput).in, func(p page.Page[iam.User]) usersOutput {
			out := usersOutput{paging: pagingOf(p.Next)}
			for i := range p.Items {
				out.Users = append(out.Users, newUser(&p.Items[i]))
			}
			return out
		}),
		iamAction("UpdateUser", ops.UpdateUser, func(s *updateUserInput) ops.UpdateUserIn {
			return ops.UpdateUserIn{User: ops.Ref{Name: s.UserName}, NewName: s.NewUserName, NewPath: s.NewPath}
		}, none),
		iamAction("DeleteUser", ops.DeleteUser, (*userInput).in, none),
		iamAction("TagUser", ops.TagUser, func(s *tagUserInput) ops.TagIn {
			return ops.TagIn{Ref: ops.Ref{Name: s.UserName}, Tags: tagsIn(s.Tags)}
		}, none),
		iamAction("UntagUser", ops.UntagUser, func(s *untagUserInput) ops.UntagIn {
			return ops.UntagIn{Ref: ops.Ref{Name: s.UserName}, Keys: s.TagKeys}
		}, none),
		iamAction("ListUserTags", ops.ListUserTags, func(s *userTagsInput) ops.TagsIn {
			return ops.TagsIn{Ref: ops.Ref{Name: s.UserName}, Listing: s.listing("")}
		}, tagPage),
	}
}

// user is a user in an answer.
type user struct {
	Path                string
	UserName            string
	UserId              string
	Arn                 string
	CreateDate          time.Time
	PasswordLastUsed    *time.Time
	PermissionsBoundary *boundary
	Tags                []tag
}

// newUser is a user without what only GetUser and CreateUser tell.
func newUser(u *iam.User) user {
	out := user{
		Path: u.Path, UserName: u.Name, UserId: u.ID.Unique(name.PrefixUser), Arn: u.ARN(),
		CreateDate: u.Created, PasswordLastUsed: when(u.PasswordUsed),
	}
	if u.Root {
		out.UserId, out.Path = u.Account.String(), ""
	}
	return out
}

type userOutput struct{ User user }

func userWithTags(u *ops.User) userOutput {
	out := userOutput{newUser(&u.User)}
	out.User.Tags = tagsOut(u.Tags)
	if u.BoundaryARN != "" {
		out.User.PermissionsBoundary = &boundary{"Policy", u.BoundaryARN}
	}
	return out
}

type usersOutput struct {
	Users []user `aws:",keep"`
	paging
}

type createUserInput struct {
	UserName            string `aws:",required" len:"1,64" pattern:"[\\w+=,.@-]+"`
	Path                string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
	PermissionsBoundary string `len:"20,2048"`
	Tags                []tag  `len:",50"`
}

func (s *createUserInput) in() ops.CreateUserIn {
	return ops.CreateUserIn{Name: s.UserName, Path: s.Path, Boundary: s.PermissionsBoundary, Tags: tagsIn(s.Tags)}
}

// userInput names a user that must be named.
type userInput struct {
	UserName string `aws:",required" len:"1,128" pattern:"[\\w+=,.@-]+"`
}

func (s *userInput) ref() ops.Ref { return ops.Ref{Name: s.UserName} }

func (s *userInput) in() ops.UserIn { return ops.UserIn{User: s.ref()} }

// ownUserInput names a user, or means the caller.
type ownUserInput struct {
	UserName string `len:"1,128" pattern:"[\\w+=,.@-]+"`
}

func (s *ownUserInput) in() ops.UserIn { return ops.UserIn{User: ops.Ref{Name: s.UserName}} }

type updateUserInput struct {
	userInput
	NewUserName string `len:"1,64" pattern:"[\\w+=,.@-]+"`
	NewPath     string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007F]+\\u002F)"`
}

type tagUserInput struct {
	userInput
	Tags []tag `aws:",required" len:",50"`
}

type untagUserInput struct {
	userInput
	TagKeys []string `aws:",required" len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
}

type userTagsInput struct {
	userInput
	listInput
}
