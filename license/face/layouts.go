package face

import (
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
)

func red() palette {
	return palette{
		frame: ofd.Color{R: 178, G: 24, B: 32}, accent: ofd.Color{R: 201, G: 155, B: 62}, wash: ofd.Color{R: 238, G: 219, B: 178},
		title: ofd.Color{R: 20, G: 20, B: 20}, label: ofd.Color{R: 122, G: 66, B: 28}, text: ofd.Color{R: 16, G: 16, B: 16},
	}
}

// business is 营业执照: landscape, red and gold.
func business() layout {
	l := layout{w: 297, h: 210, palette: red(), code: ofd.Box{X: 233, Y: 29, W: 36, H: 36}, seal: [2]float64{222, 163}}
	l.places = []place{
		{code: license.FaceKindName, box: ofd.Box{X: 90, Y: 43.5, W: 117, H: 22}, size: 16.5, spread: true, titled: true},
		{
			code: license.FaceHolderCode, label: "统一社会信用代码", labelBox: ofd.Box{X: 30, Y: 34, W: 50, H: 5}, labelAlign: ofd.Left,
			box: ofd.Box{X: 30, Y: 39, W: 58, H: 7}, size: 4.6, vertical: ofd.Center,
		},
		{
			code: license.FaceNumber, label: "证照编号", labelBox: ofd.Box{X: 30, Y: 49, W: 20, H: 4}, box: ofd.Box{X: 30, Y: 53.5, W: 58, H: 5},
			size: 3.4, vertical: ofd.Center,
		},
	}
	const pitch = 11 // of the rows, left and right alike
	left, _ := column(30, 82, 27, 138,
		row{code: license.FaceHolder, label: "名  称", h: pitch, size: 5}, row{code: "LX", label: "类  型", h: pitch, size: 4.4},
		row{code: "FDDBR", label: "法定代表人", h: pitch, size: 4.4}, row{code: "JYFW", label: "经营范围", h: 62, size: 4.2, top: true})
	right, y := column(178, 82, 25, 92,
		row{code: "ZCZB", label: "注册资本", h: pitch, size: 4.4}, row{code: "CLRQ", label: "成立日期", h: pitch, size: 4.4})
	l.places = append(append(l.places, left...), right...)
	l.places = append(l.places, term("营业期限", 178, y+2.3, 25, 29, 4)...)
	domicile, _ := column(178, y+pitch, 25, 92, row{code: "ZS", label: "住  所", h: 22, size: 4.2, top: true})
	issuer, _ := column(178, 152, 25, 92,
		row{code: license.FaceIssuer, label: "登记机关", h: 9, size: 4.6}, row{code: license.FaceIssueDate, label: "发照日期", h: 9, size: 4.6})
	l.places = append(append(append(l.places, domicile...), issuer...), footer(30, 181.5))
	l.ornament = func(c *canvas) {
		c.waves(ofd.Box{X: 24, Y: 24, W: 249, H: 162}, 46, 2.4, 41)
		c.frame(11, 8.5)
		c.medallion(148.5, 34, 8.5)
		c.rule(88, 70, 121)
	}
	return l
}

// food is 食品经营许可证: landscape, green and gold.
func food() layout {
	l := layout{
		w: 297, h: 210, code: ofd.Box{X: 233, Y: 29, W: 36, H: 36}, seal: [2]float64{224, 160},
		palette: palette{
			frame: ofd.Color{R: 16, G: 104, B: 78}, accent: ofd.Color{R: 196, G: 158, B: 72}, wash: ofd.Color{R: 204, G: 229, B: 212},
			title: ofd.Color{R: 178, G: 24, B: 32}, label: ofd.Color{R: 22, G: 88, B: 66}, text: ofd.Color{R: 16, G: 16, B: 16},
		},
	}
	l.places = []place{
		{code: license.FaceKindName, box: ofd.Box{X: 73, Y: 42, W: 151, H: 20}, size: 13.8, spread: true, titled: true},
		{
			code: license.FaceNumber, label: "许可证编号", labelBox: ofd.Box{X: 92, Y: 66, W: 26, H: 6}, labelAlign: ofd.Right,
			box: ofd.Box{X: 121, Y: 66, W: 84, H: 6}, size: 4.4, vertical: ofd.Center,
		},
	}
	const pitch = 10.8 // of the rows, left and right alike
	left, _ := column(30, 80, 42, 146,
		row{code: license.FaceHolder, label: "经营者名称", h: pitch, size: 4.8}, row{code: license.FaceHolderCode, label: "社会信用代码", h: pitch, size: 4.2},
		row{code: "FDDBR", label: "法定代表人(负责人)", h: pitch, size: 4.2}, row{code: "ZS", label: "住  所", h: pitch, size: 4.2},
		row{code: "JYCS", label: "经营场所", h: pitch, size: 4.2}, row{code: "ZTYT", label: "主体业态", h: pitch, size: 4.2},
		row{code: "JYXM", label: "经营项目", h: 34, size: 4.2, top: true})
	right, y := column(180, 80, 28, 90,
		row{code: "RCJGJG", label: "日常监管机构", h: pitch, size: 4.2}, row{code: "JBDH", label: "投诉举报电话", h: pitch, size: 4.2})
	l.places = append(append(l.places, left...), right...)
	l.places = append(l.places, term("有效期", 180, y+2.2, 28, 27, 4)...)
	issuer, _ := column(180, 148, 28, 90,
		row{code: license.FaceIssuer, label: "发证机关", h: 9, size: 4.6}, row{code: license.FaceIssueDate, label: "发证日期", h: 9, size: 4.6})
	l.places = append(append(l.places, issuer...), footer(30, 181.5))
	l.ornament = func(c *canvas) {
		c.waves(ofd.Box{X: 24, Y: 24, W: 249, H: 162}, 46, 1.8, 33)
		c.frame(11, 8.5)
		c.medallion(148.5, 32.5, 7.5)
		c.rule(88, 76, 121)
	}
	return l
}

// property is 不动产权证书: an upright table.
func property() layout {
	l := layout{w: 210, h: 297, palette: red(), code: ofd.Box{X: 27, Y: 221, W: 40, H: 40}, seal: [2]float64{147, 246.5}}
	l.palette.title = ofd.Color{R: 178, G: 24, B: 32}
	box := ofd.Box{X: 24, Y: 75, W: 162, H: 141}
	l.places = []place{
		{code: license.FaceKindName, box: ofd.Box{X: 36, Y: 42, W: 138, H: 18}, size: 13.5, spread: true, titled: true},
		{code: license.FaceNumber, box: ofd.Box{X: 30, Y: 64.5, W: 150, H: 7}, size: 4.8, align: ofd.Center, vertical: ofd.Center},
	}
	rows, heights := table(box, 33,
		row{code: license.FaceHolder, label: "权利人", h: 12, size: 4.6}, row{code: license.FaceHolderCode, label: "证件号码", h: 12},
		row{code: license.FaceShares, label: "份  额", h: 9}, row{code: "GYQK", label: "共有情况", h: 9},
		row{code: "ZL", label: "坐  落", h: 13}, row{code: "BDCDYH", label: "不动产单元号", h: 9},
		row{code: "QLLX", label: "权利类型", h: 9}, row{code: "QLXZ", label: "权利性质", h: 9}, row{code: "YT", label: "用  途", h: 9},
		row{code: "MJ", label: "面  积", h: 9}, row{code: "SYQX", label: "使用期限", h: 11}, row{code: "QLQTZK", label: "权利其他状况", h: 30, size: 3.8, top: true})
	l.places = append(l.places, rows...)
	l.places = append(l.places, term("有效期", 104, 218.2, 17, 27, 3.6)...)
	issuer, _ := column(104, 238, 23, 82,
		row{code: license.FaceIssuer, label: "登记机构", h: 9, size: 4.6}, row{code: license.FaceIssueDate, label: "登簿日期", h: 9, size: 4.6})
	l.places = append(append(l.places, issuer...), footer(34, 269))
	l.ornament = func(c *canvas) {
		c.waves(ofd.Box{X: 23, Y: 24, W: 164, H: 249}, 70, 2.2, 37)
		c.frame(10, 8.5)
		c.medallion(105, 32, 7.5)
		c.grid(box, heights, 33)
	}
	return l
}

// birth is 出生医学证明: an upright table in teal.
func birth() layout {
	l := layout{
		w: 210, h: 297, code: ofd.Box{X: 27, Y: 219, W: 40, H: 40}, seal: [2]float64{147, 246.5},
		palette: palette{
			frame: ofd.Color{R: 20, G: 110, B: 128}, accent: ofd.Color{R: 214, G: 132, B: 146}, wash: ofd.Color{R: 247, G: 214, B: 218},
			title: ofd.Color{R: 20, G: 92, B: 112}, label: ofd.Color{R: 20, G: 92, B: 112}, text: ofd.Color{R: 16, G: 16, B: 16},
		},
	}
	box := ofd.Box{X: 24, Y: 78, W: 162, H: 136}
	l.places = []place{
		{code: license.FaceKindName, box: ofd.Box{X: 36, Y: 42, W: 138, H: 17}, size: 13.5, spread: true, titled: true},
		{label: "MEDICAL CERTIFICATE OF BIRTH", labelBox: ofd.Box{X: 45, Y: 60, W: 120, H: 5}, labelAlign: ofd.Center, size: 3.6, vertical: ofd.Center},
		{
			code: license.FaceNumber, label: "出生证编号", labelBox: ofd.Box{X: 56, Y: 69, W: 26, H: 6}, labelAlign: ofd.Right,
			box: ofd.Box{X: 85, Y: 69, W: 80, H: 6}, size: 4.4, vertical: ofd.Center,
		},
	}
	rows, heights := table(box, 40,
		row{code: license.FaceHolder, label: "新生儿姓名", h: 11, size: 5}, row{code: license.FaceHolderCode, label: "公民身份号码", h: 9.5},
		row{code: "XB", label: "性  别", h: 8.5}, row{code: "CSRQ", label: "出生日期", h: 8.5}, row{code: "CSSJ", label: "出生时间", h: 8.5},
		row{code: "CSYZ", label: "出生孕周(周)", h: 8.5}, row{code: "CSTZ", label: "出生体重(克)", h: 8.5}, row{code: "CSSC", label: "出生身长(厘米)", h: 8.5},
		row{code: "CSDD", label: "出生地点", h: 11}, row{code: "JSJG", label: "医疗机构名称", h: 9.5},
		row{code: "MQXM", label: "母亲姓名", h: 8.5}, row{code: "MQZJHM", label: "母亲公民身份号码", h: 8.5},
		row{code: "FQXM", label: "父亲姓名", h: 8.5}, row{code: "FQZJHM", label: "父亲公民身份号码", h: 8.5})
	l.places = append(l.places, rows...)
	l.places = append(l.places, term("有效期", 104, 217, 17, 27, 3.6)...)
	issuer, _ := column(104, 238, 23, 82,
		row{code: license.FaceIssuer, label: "签发机构", h: 9, size: 4.6}, row{code: license.FaceIssueDate, label: "签发日期", h: 9, size: 4.6})
	l.places = append(append(l.places, issuer...), footer(34, 269))
	l.ornament = func(c *canvas) {
		c.waves(ofd.Box{X: 23, Y: 24, W: 164, H: 249}, 64, 2.6, 29)
		c.frame(10, 8.5)
		c.medallion(105, 32, 7.5)
		c.grid(box, heights, 40)
	}
	return l
}

// plain draws any kind: an upright table with one row for each field, as much room as its fields may need.
func plain(k license.Kind) layout {
	l := layout{
		w: 210, h: 297, palette: red(), code: ofd.Box{X: 27, Y: 226, W: 36, H: 36}, seal: [2]float64{147, 248},
		photo: ofd.Box{X: 156, Y: 26, W: 25, H: 35},
	}
	box := ofd.Box{X: 24, Y: 76, W: 162}
	l.places = []place{
		{code: license.FaceKindName, box: ofd.Box{X: 36, Y: 42, W: 114, H: 18}, size: 12, spread: true, titled: true},
		{code: license.FaceNumber, box: ofd.Box{X: 30, Y: 64.5, W: 150, H: 7}, size: 4.6, align: ofd.Center, vertical: ofd.Center},
	}
	rows := []row{{code: license.FaceHolder, label: "持证主体"}, {code: license.FaceHolderCode, label: "持证主体代码"}}
	weights := []float64{1, 1}
	total := 2.0
	if k.Holders.Parts {
		rows, weights, total = append(rows, row{code: license.FaceShares, label: "份额"}), append(weights, 1), total+1
	}
	for _, f := range k.Fields {
		if !f.OnFace {
			continue
		}
		weight := 1 + float64(f.MaxLength)/150
		rows, weights, total = append(rows, row{code: f.Code, label: f.Name, top: f.Multiline}), append(weights, weight), total+weight
	}
	for i := range rows {
		rows[i].h = 144 * weights[i] / total
		rows[i].size = min(4.2, rows[i].h*0.55)
	}
	places, heights := table(box, 38, rows...)
	l.places = append(l.places, places...)
	l.places = append(l.places, term("有效期", 104, 221, 17, 27, 3.6)...)
	issuer, _ := column(104, 238, 23, 82,
		row{code: license.FaceIssuer, label: "发证机关", h: 9, size: 4.6}, row{code: license.FaceIssueDate, label: "发证日期", h: 9, size: 4.6})
	l.places = append(append(l.places, issuer...), footer(34, 269))
	l.ornament = func(c *canvas) {
		c.waves(ofd.Box{X: 23, Y: 24, W: 164, H: 249}, 70, 2.2, 37)
		c.frame(10, 8.5)
		c.grid(ofd.Box{X: box.X, Y: box.Y, W: box.W, H: 144}, heights, 38)
	}
	return l
}
