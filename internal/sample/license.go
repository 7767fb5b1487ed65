package sample

import (
	"fmt"

	"github.com/yinxin-trust/yinxin/license"
)

// holder makes a holder of a person.
func (p Person) holder(role, part string) license.Holder {
	return license.Holder{Type: license.TypeCitizen, Code: p.Number, Name: p.Name, Role: role, Part: part}
}

func (e Enterprise) holder() license.Holder {
	return license.Holder{Type: license.TypeUSCC, Code: e.USCC, Name: e.Name}
}

// request fills in what all sample requests share. actor is the account or client that will be said to have acted.
func request(kind string, office Office, number, matter, actor string) license.IssueRequest {
	return license.IssueRequest{
		Kind: kind, Office: office.Code, BusinessNo: number,
		Act: license.Act{
			Actor: actor, Office: office.Code, Matter: matter, CaseNo: "99-" + number, Reason: "new_issue", LegalBasis: "行政许可法",
		},
	}
}

// BusinessLicense asks for an enterprise's 营业执照.
func BusinessLicense(e Enterprise, number, actor string) license.IssueRequest {
	office, _ := OfficeFor(DutyMarket, uint16(e.Home)) // every prefecture has one: TestNumbersAreValidAndTell
	r := request(license.SampleBusiness, office, number, "990131000000", actor)
	r.Holders = []license.Holder{e.holder()}
	r.Fields = map[string]string{
		"LX": "有限责任公司", "FDDBR": PersonAt(e.Representative).Name, "ZCZB": "伍佰万圆人民币", "CLRQ": "2021-03-08",
		"ZS": AllPrefectures()[e.Home-1].Name + "临江大道" + fmt.Sprint(8+e.Index) + "号", "JYFW": "餐饮服务;食品销售;企业管理咨询(依法须经批准的项目,经相关部门批准后方可开展经营活动)。",
	}
	return r
}

// FoodLicense asks for an enterprise's 食品经营许可证.
func FoodLicense(e Enterprise, number, actor string) license.IssueRequest {
	office, _ := OfficeFor(DutyMarket, uint16(e.Home)) // as above
	r := request(license.SampleFood, office, number, "990131000100", actor)
	r.Holders = []license.Holder{e.holder()}
	city := AllPrefectures()[e.Home-1].Name
	r.Fields = map[string]string{
		"FDDBR": PersonAt(e.Representative).Name, "ZS": city + "临江大道" + fmt.Sprint(8+e.Index) + "号", "JYCS": city + "临江大道" + fmt.Sprint(8+e.Index) + "号一层",
		"ZTYT": "餐饮服务经营者", "JYXM": "热食类食品制售;冷食类食品制售;自制饮品制售", "RCJGJG": office.Name, "JBDH": "12315",
	}
	return r
}

// Property asks for the 不动产权证书 of a home that two people own together.
func Property(a, b Person, number, actor string) license.IssueRequest {
	office, _ := OfficeFor(DutyLand, uint16(a.Home)) // as above
	r := request(license.SampleProperty, office, number, "990115000300", actor)
	r.Holders = []license.Holder{a.holder("", "1/2"), b.holder("", "1/2")}
	city := AllPrefectures()[a.Home-1]
	r.Fields = map[string]string{
		"GYQK": "按份共有", "ZL": city.Name + city.County + "望江路18号5栋2单元" + fmt.Sprint(300+a.Index) + "室",
		"BDCDYH": fmt.Sprintf("99%02d01001001GB00001F%08d", a.Home, 10000+a.Index), "QLLX": "国有建设用地使用权/房屋(构筑物)所有权", "QLXZ": "出让/市场化商品房",
		"YT": "城镇住宅用地/住宅", "MJ": "共有宗地面积:26120.40㎡/房屋建筑面积:118.62㎡", "SYQX": "国有建设用地使用权 2019年05月01日起至2089年04月30日止",
		"QLQTZK": "房屋结构:钢筋混凝土;专有建筑面积:96.35㎡,分摊建筑面积:22.27㎡;房屋总层数:26层;竣工时间:2021年",
	}
	return r
}

// Birth asks for a child's 出生医学证明; the parents are its guardians.
func Birth(child, mother, father Person, number, actor string) license.IssueRequest {
	office, _ := OfficeFor(DutyHospital, uint16(child.Home)) // as above
	r := request(license.SampleBirth, office, number, "990123000500", actor)
	r.Holders = []license.Holder{
		child.holder("", ""), mother.holder(license.RoleGuardian, ""), father.holder(license.RoleGuardian, ""),
	}
	r.Fields = map[string]string{
		"XB": child.Sex, "CSRQ": child.Birth, "CSSJ": "08:26", "CSYZ": "39", "CSTZ": "3280", "CSSC": "50",
		"CSDD": ProvinceName + AllPrefectures()[child.Home-1].Name, "JSJG": office.Name,
		"MQXM": mother.Name, "MQZJHM": mother.Number, "FQXM": father.Name, "FQZJHM": father.Number,
	}
	return r
}

// Licenses are those that the sample province begins with, so that no page is empty at first sight.
func Licenses(actor string) []license.IssueRequest {
	var out []license.IssueRequest
	for i := range 4 {
		a, b := PersonAt(17*i), PersonAt(17*i+1)
		out = append(out, Property(a, b, fmt.Sprintf("示(2024)不动产权第%07d号", 1001+i), actor))
	}
	for _, i := range []int{0, 17, 34, 5} {
		e := EnterpriseAt(i)
		out = append(out, BusinessLicense(e, fmt.Sprintf("YZ%09d", 2001+i), actor))
		out = append(out, FoodLicense(e, fmt.Sprintf("JY2%011d", 3001+i), actor))
	}
	for _, parent := range []int{0, 2} {
		child, _ := ChildOf(parent) // the first twenty people have one
		out = append(out, Birth(PersonAt(child), PersonAt(parent+1), PersonAt(parent), fmt.Sprintf("X99%07d", 4001+parent), actor))
	}
	return out
}
