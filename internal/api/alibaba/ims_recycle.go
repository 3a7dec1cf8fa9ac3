package alibaba

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func imsRecycleBin() []action {
	of := serviceIMS
	return []action{
		bind(of, "ListUsersInRecycleBin", ops.ListRecycledUsers, func(s *binInput, _ *scene) (ops.FindRecycledIn, error) {
			return ops.FindRecycledIn{Search: s.Filter, Listing: s.listing()}, nil
		}, func(sc *scene, p page.Page[iam.RecycledUser]) binUsersOutput {
			return binUsersOutput{pagingOf(p.Next), binUserList{each(p.Items, func(u *iam.RecycledUser) binUser { return newBinUser(sc, u) })}}
		}),
		bind(of, "GetUserInRecycleBin", ops.GetRecycledUser, func(s *binUserOrKey, _ *scene) (ops.RecycledIn, error) {
			id, err := userID(s.UserId)
			if s.UserId == "" && s.UserAccessKeyId == "" {
				err = &failure{400, "MissingParameter", "UserId or UserAccessKeyId must be specified."}
			}
			return ops.RecycledIn{User: id, Key: s.UserAccessKeyId}, err
		}, func(sc *scene, u *iam.RecycledUser) binUserOutput { return binUserOutput{newBinUser(sc, u)} }),
		bind(of, "RestoreUserFromRecycleBin", ops.RestoreUser, (*binUserInput).in, nothingMore),
		bind(of, "DeleteUserInRecycleBin", ops.DeleteRecycledUser, (*binUserInput).in, nothingMore),
		bind(of, "ListAccessKeysInRecycleBin", ops.ListRecycledKeys, func(s *binOwnerInput, _ *scene) (ops.RecycledIn, error) {
			id, err := userID(s.UserId)
			return ops.RecycledIn{User: id}, err
		}, func(_ *scene, keys []ops.RecycledKey) binKeysOutput {
			return binKeysOutput{binKeyList{each(keys, func(k *ops.RecycledKey) binKey { return newBinKey(k) })}}
		}),
		bind(of, "GetAccessKeyInfoInRecycleBin", ops.GetRecycledKey, func(s *binKeyName, _ *scene) (ops.RecycledIn, error) {
			return ops.RecycledIn{Key: s.UserAccessKeyId}, nil
		}, func(sc *scene, k *ops.RecycledKey) binKeyOutput {
			return binKeyOutput{wholeBinKey{newBinKey(k), k.User.String(), sc.upn(k.UserName), false}}
		}),
		bind(of, "RestoreAccessKeyFromRecycleBin", ops.RestoreAccessKey, (*binKeyInput).in, nothingMore),
		bind(of, "DeleteAccessKeyInRecycleBin", ops.DeleteRecycledKey, (*binKeyInput).in, nothingMore),
	}
}

type binInput struct {
	Filter string `len:"1,64"`
	listInput
}

type binUser struct {
	UserId            string
	UserPrincipalName string
	DisplayName       string
	CreateDate        string
	RecycleDate       string
	DeleteDate        string // when it goes for good
}

func newBinUser(sc *scene, u *iam.RecycledUser) binUser {
	return binUser{u.ID.String(), sc.upn(u.Name), u.Attributes.DisplayName, when(u.Created), when(u.Recycled), gone(u.Recycled)}
}

func gone(recycled time.Time) string { return when(recycled.Add(iam.RecycleLife)) }

type binUserList struct{ User []binUser }

type binUsersOutput struct {
	paging
	Users binUserList
}

type binUserOutput struct{ User binUser }

// userID reads the id of a user; "" is none.
func userID(digits string) (name.ID, error) {
	id, ok := name.ParseID(digits)
	if digits != "" && !ok {
		return 0, &failure{404, "EntityNotExist.User", "The user does not exist: " + digits + "."}
	}
	return id, nil
}

type binUserOrKey struct {
	UserId          string `len:"1,64"`
	UserAccessKeyId string `len:"1,128"`
}

type binUserInput struct {
	UserId string `req:"true" len:"1,64"`
}

func (s *binUserInput) in(*scene) (ops.RecycledIn, error) {
	id, err := userID(s.UserId)
	return ops.RecycledIn{User: id}, err
}

type binOwnerInput struct {
	UserId string `len:"1,64"`
}

type binKeyName struct {
	UserAccessKeyId string `req:"true" len:"1,128"`
}

type binKeyInput struct {
	binKeyName
	UserId string `len:"1,64"`
}

func (s *binKeyInput) in(*scene) (ops.RecycledIn, error) {
	id, err := userID(s.UserId)
	return ops.RecycledIn{User: id, Key: s.UserAccessKeyId}, err
}

type binKey struct {
	AccessKeyId string
	CreateDate  string
	RecycleDate string
	DeleteDate  string
}

func newBinKey(k *ops.RecycledKey) binKey {
	return binKey{k.ID, when(k.Created), when(k.Recycled), gone(k.Recycled)}
}

type binKeyList struct{ AccessKey []binKey }

type binKeysOutput struct{ AccessKeys binKeyList }

type wholeBinKey struct {
	binKey
	UserId            string
	UserPrincipalName string
	UserRecycled      bool // never: keys go with their users
}

type binKeyOutput struct{ AccessKey wholeBinKey }
