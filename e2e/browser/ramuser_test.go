package browser

import (
	"strings"
	"testing"
)

// RAM users bind in Japanese, each way that Alibaba Cloud's page "Bind an MFA device to
// a RAM user" tells of, in its order: a virtual MFA device at the first sign-in, by the
// administrator's link, and on the Security page; a mail address by the administrator's
// link and on the Security page; a passkey at the first sign-in and on the Security
// page. One signs in with the passkey afterwards. The function that asks for the second
// factor is given in the console before. The last way, a U2F key that becomes a
// passkey, is TestU2FUpgrade's.
func TestRAMUserBindsFactors(t *testing.T) {
	t.Parallel()
	s, mail := posted(t)
	s.user(t, "boss", admins)

	boss := s.open(t, "ja")
	boss.signIn(s, "boss").at("/console")
	boss.visit("/console/jobs").says("アカウント管理者", "O&M エンジニア", "この職務の人はまだいません。").look("job functions")
	boss.visit("/console/jobs/om-engineer").says("ecs-workbench:LoginInstance", "// root または system アカウントの使用を禁止").look("a job function")
	boss.visit("/console/jobs/account-administrator").fill("ユーザー", "hana, ken").click("適用する").says("AccountAdministrators", "最初のサインインのパスワード").look("a job function, given")
	first := eval[string](boss, "document.getElementById('password-hana').innerText")
	kens := eval[string](boss, "document.getElementById('password-ken').innerText")

	// 1. 仮想 MFA デバイス: at the sign-in page, name and password first.
	b := s.open(t, "ja")
	b.authenticator(nil)
	b.quietly()
	b.visit("/signin/"+s.AccountID).fill(b.w("signin.user"), "hana").fill(b.w("signin.password"), first).click(b.w("signin.do"))
	b.at("/signin/password").fill(b.w("password.new"), rootPassword).fill(b.w("password.again"), rootPassword).click(b.w("signin.password.do"))
	b.at("/signin/bind").says("認証アプリ", "パスキー")
	phone := newPhone(t, b.key32())
	one, two := phone.pair()
	b.fill("1 つ目のコード", one).fill("2 つ目のコード", two).click("デバイスを登録").at("/console")

	// 2. メールアドレス: on the Security page, with the code that comes by mail.
	b.visit("/security").says("MFA デバイス", "メールと電話番号", "パスキーはまだありません")
	b.visit("/security/address/email").fill("メールアドレス", "hana@example.com").click("コードを送信")
	b.fill("届いたコード", mail.find(codeOf)).click("確認").at("/security").says("hana@example.com", "使用中")

	// 3. パスキー: on the same page.
	b.link("パスキーを作成").at("/security/passkeys/new").fill("名前", "花のノート PC")
	b.click("パスキーを作成する").at("/security#passkeys").says("花のノート PC").look("security with a device, an address and a passkey")

	// 次の手順: name and password, and then any of the three.
	b.signOut()
	b.visit("/signin/"+s.AccountID).fill(b.w("signin.user"), "hana").fill(b.w("signin.password"), rootPassword).click(b.w("signin.do"))
	b.at("/signin/code").look("three second factors")
	b.link(b.w("factor.key")).click(b.w("signin.key.do")).at("/console")

	// パスキー at the sign-in page: the other choice there.
	k := s.open(t, "ja")
	k.authenticator(nil)
	k.quietly()
	k.visit("/signin/"+s.AccountID).fill(k.w("signin.user"), "ken").fill(k.w("signin.password"), kens).click(k.w("signin.do"))
	k.fill(k.w("password.new"), rootPassword).fill(k.w("password.again"), rootPassword).click(k.w("signin.password.do"))
	k.at("/signin/bind").says("認証アプリ", "パスキー").click("パスキーを作成する").at("/console")

	// メールアドレス and 仮想 MFA デバイス by the administrator: ユーザー, the user, its page on
	// factors; and the user follows the links.
	s.user(t, "yui", "ReadOnlyAccess")
	boss.visit("/console").link("ユーザー").link("yui").view("MFA").at("/console/users/yui/mfa")
	boss.link("アクティベーションリンクを送信 メールアドレス").fill("メールアドレス", "yui@example.com").click("アクティベーションリンクを送信").says("確認待ち", "yui@example.com")
	y := s.open(t, "ja")
	y.visit(mail.find(strings.Replace(linkOf, "%s", "activate", 1))).says("yui@example.com").click("確認する").says("確認しました")
	boss.visit("/console/users/yui/mfa").says("使用中")
	y.visit(boss.send("yui")).click(y.w("enrol.do"))
	yuis := newPhone(t, y.key32())
	one, two = yuis.pair()
	y.fill("1 つ目のコード", one).fill("2 つ目のコード", two).click("デバイスを登録").says(y.w("enrol.done.title"))
	y.signInWith(s, "yui", yuis)

	// 仮想 MFA デバイス on the Security page, by the menu.
	s.user(t, "mio", "ReadOnlyAccess")
	m := s.open(t, "ja")
	m.signIn(s, "mio").at("/console")
	m.menu()
	m.link("セキュリティ").at("/security").says("MFA デバイス")
	mios := m.bind()
	m.signOut()
	m.signInWith(s, "mio", mios)
}
