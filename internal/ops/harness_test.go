package ops_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

func asFault(err error, to **fault.Error) bool { return errors.As(err, to) }

// addAccount puts another account into the store, with a role that its trust
// policy opens, and returns the role's ARN.
func addAccount(t testing.TB, w *testkit.World, account name.Account, trust string) string {
	t.Helper()
	role := iam.Role{Account: account, Name: "visitor", Path: "/", Trust: trust, MaxSession: time.Hour, Created: w.Now()}
	err := w.Store.Update(context.Background(), func(tx *store.Tx) (err error) {
		if err := tx.InsertAccount(&iam.Account{ID: account, Created: w.Now()}); err != nil {
			return err
		}
		if role.ID, err = name.NewID(w.Rand); err != nil {
			return err
		}
		return tx.InsertRole(&role)
	})
	if err != nil {
		t.Fatal(err)
	}
	return role.ARN()
}

func secret(s string) seal.Secret { return seal.NewSecret([]byte(s)) }
