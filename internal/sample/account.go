package sample

// Account is a sign-in that the demonstration prints.
type Account struct {
	Login    string
	Password string
	Role     string // "citizen", "clerk", "officer"
	Person   int    // index of the person behind it
	Office   string // USCC, for officials
	Words    string // what to try with it
	WordsEN  string
}

// Accounts lists the printed accounts, a citizen first. Officials work in the first prefecture.
func Accounts() []Account {
	office := func(d Duty, cell uint16) string {
		o, ok := OfficeFor(d, cell)
		if !ok {
			panic("sample: no office for " + string(d)) // the table above has one for each: unreachable
		}
		return o.Code
	}
	return []Account{
		{"citizen", "yunhan-citizen-1", "citizen", 0, "", "市民:名下有不动产权证书、营业执照(法定代表人)和孩子的出生医学证明", "a citizen with a property certificate, an enterprise and a child"},
		{"spouse", "yunhan-citizen-2", "citizen", 1, "", "市民:不动产的另一位共有人", "the co-owner of that property"},
		{"merchant", "yunhan-citizen-3", "citizen", 34, "", "企业法定代表人", "the representative of an enterprise"},
		{"clerk", "yunhan-clerk-1", "clerk", 60, office(DutyData, ProvinceCell), "窗口人员:扫码核验", "a clerk who verifies at a counter"},
		{"officer-market", "yunhan-officer-1", "officer", 61, office(DutyMarket, 1), "市场监管局发证人员:营业执照、食品经营许可证", "issues business and food licenses"},
		{"officer-land", "yunhan-officer-2", "officer", 62, office(DutyLand, 1), "自然资源局发证人员:不动产权证书", "issues property certificates"},
		{"officer-birth", "yunhan-officer-3", "officer", 63, office(DutyHospital, 1), "妇幼保健院发证人员:出生医学证明", "issues birth certificates"},
	}
}
