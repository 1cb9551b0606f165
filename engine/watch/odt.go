package watch

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"hash/crc32"
	"io"
	"strings"

	"yagura/store/desk"
)

// odtType is the media type of OpenDocument Text (ODF 1.3 part 2, 2.2.4).
const odtType = "application/vnd.oasis.opendocument.text"

const odtManifest = `<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">` +
	`<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="` + odtType + `"/>` +
	`<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>` +
	`<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/></manifest:manifest>
`

const odtNames = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" ` +
	`xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" ` +
	`xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3"`

// odtStyles is A4 with a title and headings; the fonts are whatever the reader's office has for Japanese.
const odtStyles = `<?xml version="1.0" encoding="UTF-8"?>
<office:document-styles ` + odtNames + `><office:styles>` +
	`<style:default-style style:family="paragraph"><style:text-properties fo:font-size="10.5pt" style:font-size-asian="10.5pt" fo:language="ja" fo:country="JP" style:language-asian="ja" style:country-asian="JP"/></style:default-style>` +
	`<style:style style:name="Standard" style:family="paragraph"/>` +
	`<style:style style:name="Title" style:family="paragraph" style:parent-style-name="Standard"><style:paragraph-properties fo:text-align="center" fo:margin-bottom="0.6cm"/><style:text-properties fo:font-size="16pt" style:font-size-asian="16pt" fo:font-weight="bold" style:font-weight-asian="bold"/></style:style>` +
	`<style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="paragraph" style:parent-style-name="Standard" style:default-outline-level="1"><style:paragraph-properties fo:margin-top="0.5cm" fo:margin-bottom="0.2cm" fo:keep-with-next="always"/><style:text-properties fo:font-size="12pt" style:font-size-asian="12pt" fo:font-weight="bold" style:font-weight-asian="bold"/></style:style>` +
	`</office:styles><office:automatic-styles><style:page-layout style:name="A4"><style:page-layout-properties fo:page-width="21cm" fo:page-height="29.7cm" fo:margin-top="2.5cm" fo:margin-bottom="2.5cm" fo:margin-left="2.5cm" fo:margin-right="2.5cm"/></style:page-layout></office:automatic-styles>` +
	`<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"/></office:master-styles></office:document-styles>
`

// odt is the report as OpenDocument Text: a zip whose first entry is the uncompressed media type (ODF 1.3 part 2, 3.3). The same
// report gives the same bytes. No kept Go library writes OpenDocument (decisions.md).
func (d document) odt() ([]byte, error) {
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	// Raw, so that no data descriptor follows: a reader finds the media type at byte 38 of the file.
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: "mimetype", Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(odtType)),
		CompressedSize64: uint64(len(odtType)), UncompressedSize64: uint64(len(odtType)),
	})
	if err == nil {
		_, err = io.WriteString(w, odtType)
	}
	for _, part := range [][2]string{{"META-INF/manifest.xml", odtManifest}, {"styles.xml", odtStyles}, {"content.xml", d.content()}} {
		if err == nil {
			w, err = z.CreateHeader(&zip.FileHeader{Name: part[0], Method: zip.Deflate})
		}
		if err == nil {
			_, err = io.WriteString(w, part[1])
		}
	}
	if err == nil {
		err = z.Close()
	}
	return file.Bytes(), desk.Wrap(desk.Internal, "watch.odt", err)
}

func (d document) content() string {
	var b strings.Builder
	b.WriteString(xml.Header + `<office:document-content ` + odtNames + `><office:automatic-styles>` +
		`<style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:border="0.5pt solid #000000" fo:padding="0.1cm"/></style:style>` +
		`</office:automatic-styles><office:body><office:text>`)
	line := func(tag, attributes, text string) {
		b.WriteString("<" + tag + " " + attributes + ">")
		_ = xml.EscapeText(&b, []byte(desk.CleanText(text, false))) // a strings.Builder takes everything
		b.WriteString("</" + tag + ">")
	}
	line("text:p", `text:style-name="Title"`, d.title)
	for _, text := range d.preface {
		line("text:p", `text:style-name="Standard"`, text)
	}
	for _, s := range d.sections {
		line("text:h", `text:style-name="Heading_20_1" text:outline-level="1"`, s.heading)
		for _, text := range s.lines {
			line("text:p", `text:style-name="Standard"`, text)
		}
		if len(s.table) == 0 {
			continue
		}
		b.WriteString(`<table:table table:name="経過"><table:table-column table:number-columns-repeated="4"/>`)
		for _, row := range s.table {
			b.WriteString(`<table:table-row>`)
			for _, cell := range row {
				b.WriteString(`<table:table-cell table:style-name="Cell" office:value-type="string">`)
				line("text:p", `text:style-name="Standard"`, cell)
				b.WriteString(`</table:table-cell>`)
			}
			b.WriteString(`</table:table-row>`)
		}
		b.WriteString(`</table:table>`)
	}
	b.WriteString(`</office:text></office:body></office:document-content>`)
	return b.String()
}
