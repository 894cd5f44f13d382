import Testing
import TocsinS3

@Suite struct XMLTests {
    func parse(_ text: String) throws -> XMLElement { try XMLElement(parsing: Array(text.utf8)) }

    @Test func elementsTextAndEscapes() throws {
        let root = try parse(
            """
            \u{FEFF}<?xml version="1.0"?><!-- x --><s3:A xmlns:s3="a>b" c='"'>
            <Key>a&amp;b&lt;&#233;&#x65E5;&quot;</Key><Empty/><Raw><![CDATA[<&>]]></Raw></s3:A>\n
            """)
        #expect(root.name == "A")
        #expect(root["Key"] == "a&b<é日\"")
        #expect(root["Empty"] == "")
        #expect(root["Raw"] == "<&>")
        #expect(root["Other"] == nil)
    }

    @Test(arguments: [
        "", " ", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "</a>", "<a>&nbsp;</a>", "<a>&", "<a>&#xD800;</a>",
        "<!DOCTYPE a><a/>", "<a b=\"></a>", "<a><![CDATA[x</a>", "<!-- <a/>", "<?xml <a/>", "< a/>", "<a/b>", "<a <b/>",
    ])
    func brokenTextIsAnError(_ text: String) {
        #expect(throws: XMLError.self) { try parse(text) }
    }

    @Test func everyBeginningOfAReplyIsAnError() throws {
        let reply = Array("<?xml version=\"1.0\"?><R a='1'><K>a&amp;é<![CDATA[x]]></K><!-- c --><E/></R>".utf8)
        for count in 0..<reply.count {
            #expect(throws: XMLError.self) { try XMLElement(parsing: Array(reply[..<count])) }
        }
        #expect(try XMLElement(parsing: reply)["K"] == "a&éx")
    }

    @Test func anyBytesGiveAValueOrAnError() {
        let words = ["<", ">", "/", "a", "&", ";", "#", "x", "!", "[", "]", "-", "?", "\"", "'", "CDATA", "\u{E9}"].map
        { Array($0.utf8) }
        for seed in 0..<2000 {
            let picks = noise(24, seed: UInt64(seed))
            var bytes = picks.flatMap { words[Int($0) % words.count] }
            if seed % 3 == 0 { bytes[0] = picks[0] }
            _ = try? XMLElement(parsing: bytes)
        }
    }

    @Test func depthIsLimited() {
        #expect(throws: XMLError.self) { try parse(String(repeating: "<a>", count: 5000)) }
    }
}
