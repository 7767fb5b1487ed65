// Package sample makes the province that a demonstration runs: prefectures, departments on five levels, people and
// enterprises that do not exist. Everything is a pure function of an index, so that a test can name what must never
// appear in plain. Numbers lie in region 99, which no place has, and carry right check digits.
package sample

import (
	"fmt"
	"slices"

	"github.com/yinxin-trust/yinxin/license"
)

// Sizes of the sample province.
const (
	Prefectures   = 17
	ProvinceCell  = 18 // the cell of the province's own offices
	People        = 200
	Enterprises   = 50
	firstChild    = 180 // people from here on are children
	ProvinceName  = "示范省"
	phoneTemplate = "1995550%04d"
)

// Prefecture is one of the 17 prefectures (市州); its cell code is its number.
type Prefecture struct {
	Number int // 1 to 17
	Name   string
	County string // its one sample county
}

func prefectureNames() []string {
	return []string{"云汉", "沧浪", "楚望", "鹿门", "荆台", "澧浦", "青梦", "白沙", "龙泉", "桃溪", "安陆原", "松滋口", "清江源", "竹山岭", "神农脚", "仙渡", "潜川"}
}

// AllPrefectures lists the prefectures in the order of their cells.
func AllPrefectures() []Prefecture {
	names := prefectureNames()
	out := make([]Prefecture, Prefectures)
	for i := range out {
		out[i] = Prefecture{Number: i + 1, Name: names[i] + "市", County: names[i] + "东县"}
	}
	return out
}

// Office is an organisation that issues, verifies or governs (机构).
type Office struct {
	Code   string // USCC
	Name   string
	Level  int    // 1 省, 2 市州, 3 县市区, 4 乡镇街道, 5 村社区
	Parent string // USCC of the office above, empty for the province's
	Cell   uint16
	Duty   Duty
}

// Kinds are the codes of the sample kinds that an office issues: those of the prefectures' and counties' market bureaus, of
// land offices and of hospitals.
func (o Office) Kinds() []string {
	switch {
	case o.Duty == DutyMarket && o.Level > 1:
		return []string{license.SampleBusiness, license.SampleFood}
	case o.Duty == DutyLand && o.Level > 1:
		return []string{license.SampleProperty}
	case o.Duty == DutyHospital:
		return []string{license.SampleBirth}
	}
	return nil
}

// Duty is what an office is for.
type Duty string

// The duties that the sample kinds need.
const (
	DutyData     Duty = "data"     // 政务服务和大数据
	DutyMarket   Duty = "market"   // 市场监督管理: 营业执照, 食品经营许可证
	DutyLand     Duty = "land"     // 自然资源和规划: 不动产权证书
	DutyHealth   Duty = "health"   // 卫生健康
	DutyHospital Duty = "hospital" // 妇幼保健院: 出生医学证明
	DutyTown     Duty = "town"     // 乡镇人民政府
	DutyVillage  Duty = "village"  // 村民委员会
)

// Offices lists every office, parents before children.
func Offices() []Office {
	var out []Office
	serial := 1
	add := func(name string, level int, parent string, cell uint16, duty Duty) string {
		code := uscc('1', '1', 990000+int(cell)*100, serial)
		serial++
		out = append(out, Office{Code: code, Name: name, Level: level, Parent: parent, Cell: cell, Duty: duty})
		return code
	}
	add(ProvinceName+"政务服务和大数据局", 1, "", ProvinceCell, DutyData)
	market := add(ProvinceName+"市场监督管理局", 1, "", ProvinceCell, DutyMarket)
	land := add(ProvinceName+"自然资源厅", 1, "", ProvinceCell, DutyLand)
	health := add(ProvinceName+"卫生健康委员会", 1, "", ProvinceCell, DutyHealth)
	for _, p := range AllPrefectures() {
		cell := uint16(p.Number)
		bureau := add(p.Name+"市场监督管理局", 2, market, cell, DutyMarket)
		add(p.Name+"自然资源和规划局", 2, land, cell, DutyLand)
		commission := add(p.Name+"卫生健康委员会", 2, health, cell, DutyHealth)
		add(p.Name+"妇幼保健院", 2, commission, cell, DutyHospital)
		county := add(p.Name+p.County+"市场监督管理局", 3, bureau, cell, DutyMarket)
		if p.Number <= 5 {
			town := add(p.Name+p.County+"临水镇人民政府", 4, county, cell, DutyTown)
			add(p.Name+p.County+"临水镇柳湾村民委员会", 5, town, cell, DutyVillage)
		}
	}
	return out
}

// OfficeFor finds the prefecture's or province's office of a duty in a cell, on its highest level.
func OfficeFor(duty Duty, cell uint16) (Office, bool) {
	all := Offices()
	i := slices.IndexFunc(all, func(o Office) bool { return o.Duty == duty && o.Cell == cell })
	if i < 0 {
		return Office{}, false
	}
	return all[i], true
}

// Person is a natural person who does not exist.
type Person struct {
	Index  int
	Name   string
	Number string // 公民身份号码 in region 99
	Birth  string // yyyy-mm-dd
	Sex    string // 男, 女
	Phone  string
	Home   int // number of the prefecture
}

func surnames() []rune {
	return []rune("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜")
}

func givenNames() []string {
	return []string{"砚秋", "知远", "若澄", "景行", "听澜", "望舒", "怀瑾", "思齐", "云起", "清和", "牧之", "映雪", "长卿", "采薇", "子衿", "临川", "疏影", "承宇", "扶摇", "静姝", "归鸿", "南乔", "星野", "昭明", "予安"}
}

// PersonAt is the person of an index below People. Children carry their parent's surname.
func PersonAt(i int) Person {
	sur, given := surnames(), givenNames()
	family := i
	year, month, day := 1952+(i*7)%48, 1+(i*5)%12, 1+(i*11)%28
	if i >= firstChild {
		family = i - firstChild
		year = 2012 + i%14
	}
	home := 1 + family%Prefectures
	male := i%2 == 0
	sex, seq := "女", 2*(i%450)+100
	if male {
		sex, seq = "男", seq+1
	}
	birth := fmt.Sprintf("%04d%02d%02d", year, month, day)
	body := fmt.Sprintf("99%02d01%s%03d", home, birth, seq)
	return Person{
		Index: i, Name: string(sur[family%len(sur)]) + given[(i*3+i/len(given))%len(given)], Number: complete(body, "0123456789X", license.ValidCitizenNumber),
		Birth: birth[:4] + "-" + birth[4:6] + "-" + birth[6:], Sex: sex, Phone: fmt.Sprintf(phoneTemplate, i), Home: home,
	}
}

// Enterprise is a legal person that does not exist.
type Enterprise struct {
	Index          int
	Name           string
	USCC           string
	Representative int // index of a person
	Home           int // number of the prefecture
}

// EnterpriseAt is the enterprise of an index below Enterprises; its representative is the person of twice that index.
func EnterpriseAt(i int) Enterprise {
	brands := []string{"瑞丰", "嘉禾", "江月", "长庚", "鼎和", "青禾", "同泽", "望岳", "晨曦", "百川"}
	trades := []string{"餐饮管理", "粮油贸易", "文化传媒", "建筑工程", "信息技术"}
	person := PersonAt(2 * i)
	name := fmt.Sprintf("%s%s%s有限公司", AllPrefectures()[person.Home-1].Name, brands[i%len(brands)], trades[i/len(brands)])
	return Enterprise{Index: i, Name: name, USCC: uscc('9', '1', 990000+person.Home*100, 5000+i), Representative: 2 * i, Home: person.Home}
}

// ChildOf is the index of the child whose guardians are person i and the person after; ok is false when there is none.
func ChildOf(i int) (child int, ok bool) {
	if i < 0 || firstChild+i >= People {
		return 0, false
	}
	return firstChild + i, true
}

// uscc makes a 统一社会信用代码 of registry department, category, region and serial: the organisation code inside has its
// own check character (GB 11714), the whole has one more (GB 32100).
func uscc(department, category byte, region, serial int) string {
	organisation := fmt.Sprintf("MA%06d", serial)
	body := fmt.Sprintf("%c%c%06d%s%c", department, category, region, organisation, organisationCheck(organisation))
	return complete(body, "0123456789ABCDEFGHJKLMNPQRTUWXY", license.ValidUSCC)
}

// organisationCheck is the check character of GB 11714: weights 3 7 9 10 5 8 4 2, modulus 11.
func organisationCheck(body string) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i := range weights {
		v := int(body[i] - '0')
		if body[i] >= 'A' {
			v = int(body[i]-'A') + 10
		}
		sum += v * weights[i]
	}
	switch c := 11 - sum%11; c {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + c)
	}
}

// complete finds the one check character that makes a number valid, so that the rule stands in one place only.
func complete(body, alphabet string, valid func(string) bool) string {
	for _, c := range alphabet {
		if number := body + string(c); valid(number) {
			return number
		}
	}
	panic("sample: no check character fits " + body) // every body of ours has one: unreachable
}
