package console

import (
	"regexp"
	"strings"
)

// The parsers of policies say in English what they found and what may stand
// there. grammar are the sentences they have, so that pages say them in every
// language: the text of "grammar." and the key, with {a} and {b} for what the
// pattern captured, in words themselves. The first that fits counts.
var grammar = []struct {
	key     string
	pattern *regexp.Regexp
}{
	{"notJSON", phrase(`text that is not JSON`)},
	{"end", phrase(`the end of the text`)},
	{"noVersion", phrase(`no Version`)},
	{"noStatements", phrase(`a document without statements`)},
	{"afterDocument", phrase(`text after the document`)},
	{"without", phrase(`a statement without (Effect|Principal)`)},
	{"noActions", phrase(`a statement without actions`)},
	{"noResources", phrase(`a statement without resources`)},
	{"both", phrase(`(\w+) and (\w+) in one statement`)},
	{"element.twice", phrase(`the element (".*") a second time`)},
	{"operator.twice", phrase(`the condition operator (".*") a second time`)},
	{"key.twice", phrase(`the condition key (".*") a second time`)},
	{"type.twice", phrase(`the principal type (".*") a second time`)},
	{"sid.twice", phrase(`the Sid (".*") a second time`)},
	{"element", phrase(`the element (".*")`)},
	{"operator", phrase(`the condition operator (".*")`)},
	{"key", phrase(`the condition key (".*")`)},
	{"type", phrase(`the principal type (".*")`)},
	{"comment.open", phrase(`a comment without end`)},
	{"comment.unseen", phrase(`the unseen character (U\+[0-9A-F]+), in a comment`)},
	{"comment.bytes", phrase(`a byte that is not UTF-8, in a comment`)},
	{"deep", phrase(`bracket (\d+) inside of others`)},
	{"bytes", phrase(`a text of (\d+) bytes`)},
	{"in", phrase(`(an object|a list) in (.+)`)},
	{"asStatement", phrase(`(.+) as a statement`)},
	{"as", phrase(`(.+) as (\w+)`)},
	{"forOperator", phrase(`(.+) for the operator (\S+)`)},
	{"forKey", phrase(`(".*") for (\S+ \S+)`)},
	{"other", phrase(`(\w+) other than ("\*")`)},
	{"object", phrase(`an object`)},
	{"list", phrase(`a list`)},

	{"want.JSON", phrase(`JSON \(RFC 8259\) in UTF-8`)},
	{"want.document", phrase(`an object with Version and Statement`)},
	{"want.statement", phrase(`Statement with at least one statement`)},
	{"want.one", phrase(`one document`)},
	{"want.once", phrase(`each [\w ]+ once(?:, in one spelling)?`)},
	{"want.statements", phrase(`a statement or a list of statements`)},
	{"want.either", phrase(`one of the two`)},
	{"want.strings", phrase(`a string or a list of strings`)},
	{"want.operators", phrase(`an object of condition operators`)},
	{"want.keys", phrase(`an object of condition keys`)},
	{"want.letters", phrase(`a string of letters and digits`)},
	{"want.string", phrase(`a string`)},
	{"want.action", phrase(`Action or NotAction with at least one action`)},
	{"want.resource", phrase(`Resource or NotResource with at least one resource`)},
	{"want.service", phrase(`service:Action, or "\*"`)},
	{"want.arn", phrase(`an ARN of six fields: (\S+)`)},
	{"want.noPrincipal", phrase(`no Principal: the policy is about whom it is attached to`)},
	{"want.noResource", phrase(`no Resource: the role itself is meant`)},
	{"want.case", phrase(`"Allow" or "Deny", in this case`)},
	{"want.effect", phrase(`Effect "Allow" or "Deny"`)},
	{"want.date", phrase(`an ISO 8601 date or seconds since 1970`)},
	{"want.number", phrase(`a decimal number`)},
	{"want.address", phrase(`an IP address or a network in CIDR form`)},
	{"want.most", phrase(`at most (\d+)(?: bytes)?`)},
	{"want.close", phrase(`(\*/) at its end`)},
	{"want.seen", phrase(`characters that can be seen`)},
	{"want.utf8", phrase(`text in UTF-8`)},
	{"want.principal", phrase(`"\*", an account id, or the ARN of .*`)},
	{"want.serviceName", phrase(`a service's name such as (\S+)`)},
	{"want.provider", phrase(`the ARN or name of an identity provider`)},
	{"want.conditions", phrase(`StringEquals, .*, each also with .*`)},
	{"want.principals", phrase(`("\*") or an object of (.+)`)},
	{"or", phrase(`("[^"]*"|\w+) or ("[^"]*"|\S+)`)},
}

func phrase(pattern string) *regexp.Regexp { return regexp.MustCompile(`^` + pattern + `$`) }

// inWords is what a parser said, in the language; as it said it where grammar
// does not have the sentence, such as a list of names.
func (l *language) inWords(said string) string {
	for _, g := range grammar {
		m := g.pattern.FindStringSubmatch(said)
		if m == nil {
			continue
		}
		args := []any{"a", "", "b", ""}
		for i, part := range m[1:] {
			if strings.HasPrefix(part, "a") { // an object, a list
				part = l.inWords(part)
			}
			args[2*i+1] = part
		}
		return l.text("grammar."+g.key, args...)
	}
	return said
}
