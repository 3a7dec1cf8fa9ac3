package console

import (
	"strings"
	"testing"
)

// Job functions are shown with what they make and who has them, applied with wrong
// input named at its field, and first passwords shown once.
func TestJobFunctions(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/jobs"), 200, "Account administrator", "O&M engineer", "Nobody has this function yet.")
	says(t, s.get("/console/jobs/om-engineer"), 200, "ecs-workbench:LoginInstance", "root または system アカウントの使用を禁止", "OMEngineers")
	says(t, s.get("/console/jobs/king"), 404)
	says(t, s.post("/console/jobs/account-administrator", "users", "yuki", "networks", "192.0.2.0/99"), 422, "192.0.2.0/99 is not a network")
	says(t, s.post("/console/jobs/account-administrator", "users", "y/ki"), 422)

	page := says(t, s.post("/console/jobs/account-administrator", "users", "yuki, ken", "networks", "192.0.2.0/24"), 200, "AccountAdministratorGuard", "AliyunRAMFullAccess")
	if n := strings.Count(page, "Password for the first sign-in"); n < 2 {
		t.Errorf("%d passwords are shown", n)
	}
	says(t, s.get("/console/jobs"), 200, "yuki", "ken")
	if page := says(t, s.post("/console/jobs/account-administrator", "users", "yuki"), 200, "yuki"); strings.Contains(page, "Password for the first sign-in") {
		t.Error("a password is shown to a user who has one")
	}
	says(t, s.post("/console/jobs/application", "users", "yuki"), 422, "yuki has a password")
	says(t, s.post("/console/jobs/application", "role", "shop"), 200, "role/shop")
	says(t, s.get("/console/jobs"), 200, "shop")
}
