package password

import "strings"

// Common is a Blocklist that needs no file: the passwords that lead every list
// of leaked ones, one character over and over, and runs of the alphabet, of
// digits and of the keyboard, forwards or backwards.
func Common(folded string) bool {
	return strings.Contains(commonest, "\n"+folded+"\n") || isRun(folded)
}

// isRun reports whether a password is a piece of a row, or one character only.
func isRun(s string) bool {
	if s == "" {
		return false
	}
	if r := []rune(s); strings.Count(s, string(r[0])) == len(r) {
		return true
	}
	for _, row := range rows {
		if strings.Contains(row, s) || strings.Contains(reversed(row), s) {
			return true
		}
	}
	return false
}

var rows = [...]string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop[]", "qwertzuiop", "azertyuiop",
	"asdfghjkl;'", "zxcvbnm,./", "qwertyuiopasdfghjklzxcvbnm", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
	"!@#$%^&*()_+", "qazwsxedcrfvtgbyhnujm",
}

func reversed(s string) string {
	b := []byte(s)
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return string(b)
}

const commonest = `
password
password1
password12
password123
password1234
password!
password1!
p@ssword
p@ssw0rd
p@ssw0rd1
passw0rd
passw0rd1
passwort
passwort1
motdepasse
contraseña
admin
admin1
admin123
admin1234
administrator
root
toor
rootroot
changeme
changeme1
changeme123
changeit
default
guest
letmein
letmein1
letmein123
welcome
welcome1
welcome123
welcome1!
iloveyou
iloveyou1
sunshine
princess
football
football1
baseball
baseball1
basketball
superman
batman
spiderman
pokemon
dragon
monkey
shadow
master
michael
jennifer
jordan23
charlie
computer
internet
samsung
starwars
trustno1
whatever
freedom
hello123
hellohello
secret
secret123
test1234
testtest
test123
abc12345
abcd1234
a1b2c3d4
abc123abc
qwerty123
qwerty1234
qwerty12
qwe123qwe
asdf1234
zaq12wsx
zaq1zaq1
1q2w3e4r!
11223344
12341234
12344321
87654321a
123123123
123321123
112233445566
147258369
159753456
123qweasd
123qweasdzxc
q1w2e3r4
google123
facebook
linkedin
summer2024
summer2025
summer2026
winter2024
winter2025
winter2026
spring2025
autumn2025
warifu
warifu123
`
