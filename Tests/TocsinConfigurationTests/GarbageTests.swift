import Testing
import TocsinConfiguration

@Suite("Garbage gives errors, never a crash")
struct GarbageTests {
    @Test(arguments: [
        ("server:\n\tport: 80", "indent with spaces"),
        ("server:\n  port: 80\n port: 81", "FILE:3"),
        ("server: {port: 80", "not valid YAML"),
        ("server: [", "not valid YAML"),
        ("server:\n  port: 80\n  port: 81", "the key `port` stands twice in one group"),
        ("a: &x [*x]", "not valid YAML: found undefined alias"),
        ("a: *nowhere", "not valid YAML: found undefined alias"),
        ("? [1, 2]\n: 3", "a key must be a plain word"),
        ("- 1\n- 2", "the file holds no keys"),
        ("hello", "the file holds no keys"),
        ("---\nlog: {level: info}\n---\nlog: {level: debug}", "another document"),
        ("%YAML 9.9\n---\nx: 1", "not valid YAML"),
        ("\"\\ud800\": 1", "not valid YAML"),
        ("!!binary x: 1", "unknown key `x`"),
        ("server: !custom {port: x}", "`server.port` is \"x\""),
        ("a\u{7}b: 1", "not valid YAML"),
        ("'': 1", "unknown key ``"),
        ("'.': 1", "unknown key `.`"),
        ("'..': 1", "unknown key `..`"),
        ("<<: 5\nlog: {level: x}", "`log.level`"),
    ])
    func oddFiles(yaml: String, expected: String) throws {
        let found = try problems(yaml)
        #expect(found.joined(separator: "\n").contains(expected), "\(found)")
    }

    @Test func bytesThatAreNoText() throws {
        for bytes: [UInt8] in [[0xff, 0xfe, 0x61, 0x00], [0x00], Array(0...255), [0xc3], [0x1f, 0x8b, 8, 0]] {
            let found = try problems(of: bytes)
            #expect(found == ["FILE: the configuration file is not text in UTF-8\n  -> save it as UTF-8"])
        }
        #expect(try problems(of: [0xef, 0xbb, 0xbf] + Array("log: {level: info}".utf8)).isEmpty)
    }

    @Test func randomBytesAndRandomYAML() throws {
        var generator = SplitMix(state: 7)
        let pieces = [
            "server", "port", ":", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "&a ", "*a", "\"", "'", "#", "|", ">",
            "?", "!", "%", "@", "`", ",", "\t", "80", "sources", "kind", "windows", "<<", "~", "é", "\u{feff}", "\\x",
            "---\n",
        ]
        for _ in 0..<400 {
            let count = Int.random(in: 0...40, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            _ = try problems(text)
            _ = try problems(of: (0..<count).map { _ in UInt8.random(in: 0x20...0x7e, using: &generator) })
        }
    }

    @Test func deepNesting() throws {
        for open in ["[", "{a: ", "- "] {
            let found = try problems(String(repeating: open, count: 50_000))
            #expect(found.count == 1)
        }
        let closed = "x: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(try problems(closed).first?.contains("unknown key `x`") == true)
    }

    @Test func aliasesThatMultiply() throws {
        var yaml = "a: &a0 {log: {level: info}}\n"
        for level in 1...25 { yaml += "a\(level): &a\(level) {<<: [*a\(level - 1), *a\(level - 1)]}\n" }
        yaml += "<<: [*a25, *a25]\n"
        let found = try problems(yaml)
        #expect(found.contains { $0.contains("aliases that multiply") }, "\(found.last ?? "")")
    }

    @Test func hugeFiles() throws {
        let comment = String(repeating: "# filler\n", count: 200_000)
        #expect(try problems(comment).first?.contains("longer than 1MiB") == true)
        let many = (0..<20_000).map { "k\($0): 1" }.joined(separator: "\n")
        #expect(try problems(many).count == 20_000)
        #expect(try problems("log: {level: \(String(repeating: "x", count: 100_000))}").first?.utf8.count ?? .max < 500)
    }

    @Test func pathsThatAreNoFiles() {
        for (path, expected) in [
            ("/nowhere/tocsin.yaml", "/nowhere/tocsin.yaml: configuration file: there is no such file"),
            ("/tmp", "this is a folder"), ("/dev/zero", "longer than 1MiB"), ("", "there is no such file"),
        ] {
            #expect {
                _ = try ConfigurationLoader(file: path).load()
            } throws: { "\($0)".contains(expected) }
        }
    }

    @Test func oddVariables() throws {
        let odd = [
            "SOURCES_": "1", "SOURCES_0": "1", "SOURCES_999_KIND": "stdin", "SOURCES_-1_KIND": "x",
            "WINDOWS_00_SIZE": "1s", "INPUT_VALID_RANGES": "=,=,,x", "": "x", "=": "=",
        ]
        #expect(try !problems("", environment: odd).isEmpty)
    }
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
