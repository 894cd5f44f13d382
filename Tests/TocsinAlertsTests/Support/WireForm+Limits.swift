import Foundation
import TocsinAlerts
import TocsinCore

// How long what may be, as the receivers' documentation says.
extension WireForm {
    static func limitProblems(_ kind: AlertChannelKind, _ text: String) -> [String] {
        var problems: [String] = []
        let json = Arrived(text: text).json
        func check(_ text: Any?, _ limit: Int, _ what: String, mayBeEmpty: Bool = false) {
            guard let text = text as? String else { return problems.append("\(what) is missing") }
            if text.utf16.count > limit { problems.append("\(what) has \(text.utf16.count) characters, not \(limit)") }
            if !mayBeEmpty, !text.contains(where: { !$0.isWhitespace }) { problems.append("\(what) is empty") }
        }
        switch kind {
        case .console: if text.contains(where: \.isNewline) { problems.append("several lines") }
        case .file, .kafka: if json.isEmpty { problems.append("no JSON") }
        case .webhook:
            let subject = json["subject"] as? String ?? ""
            if subject.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) {
                problems.append("control characters in the subject")
            }
        case .slack:
            check(json["text"], 4000, "text")
            let blocks = json["blocks"] as? [[String: Any]] ?? []
            if !(1...50).contains(blocks.count) { problems.append("\(blocks.count) blocks") }
            for block in blocks {
                let isHeader = block["type"] as? String == "header"
                if let text = block["text"] as? [String: Any] { check(text["text"], isHeader ? 150 : 3000, "a text") }
                let fields = (block["fields"] ?? block["elements"]) as? [[String: Any]] ?? []
                if fields.count > 10 { problems.append("\(fields.count) fields") }
                for field in fields { check(field["text"], 2000, "a field") }
            }
        case .teams:
            if text.utf8.count > 28 << 10 { problems.append("\(text.utf8.count) bytes") }
        case .discord:
            let embed = (json["embeds"] as? [[String: Any]])?.first ?? [:]
            check(embed["title"], 256, "title")
            check(embed["description"], 4096, "description", mayBeEmpty: true)
            let fields = embed["fields"] as? [[String: Any]] ?? []
            if fields.count > 25 { problems.append("\(fields.count) fields") }
            var total = ((embed["title"] as? String) ?? "").utf16.count
            total += ((embed["description"] as? String) ?? "").utf16.count
            for field in fields {
                check(field["name"], 256, "name")
                check(field["value"], 1024, "value")
                total +=
                    ((field["name"] as? String) ?? "").utf16.count + ((field["value"] as? String) ?? "").utf16.count
            }
            if total > 6000 { problems.append("\(total) characters in all") }
        case .email:
            let lines = text.components(separatedBy: "\n")
            if let long = lines.first(where: { $0.utf8.count > 998 }) {
                problems.append("a line of \(long.utf8.count)")
            }
            let head = lines.prefix { !$0.isEmpty }
            for line in head where !line.hasPrefix(" ") {
                let name = line.prefix { $0.isLetter || $0 == "-" }
                if name.isEmpty || !line.dropFirst(name.count).hasPrefix(": ") { problems.append("no header: \(line)") }
            }
            if head.filter({ $0.hasPrefix("Subject:") }).count != 1 { problems.append("subjects") }
            if head.joined().utf8.count > 2000 { problems.append("a head of \(head.joined().utf8.count)") }
        case .pagerduty:
            check(json["dedup_key"], 255, "dedup_key")
            guard json["event_action"] as? String == "trigger" else { break }
            let payload = json["payload"] as? [String: Any] ?? [:]
            check(payload["summary"], 1024, "summary")
            check(payload["source"], 255, "source")
            if text.utf8.count > 512 << 10 { problems.append("\(text.utf8.count) bytes") }
        case .opsgenie:
            guard json["alias"] != nil else {
                check(json["note"], 25_000, "note")
                check(json["user"], 100, "user")
                break
            }
            check(json["message"], 130, "message")
            check(json["alias"], 512, "alias")
            check(json["description"], 15_000, "description", mayBeEmpty: true)
            check(json["entity"], 512, "entity", mayBeEmpty: true)
            let details = json["details"] as? [String: String] ?? [:]
            let count = details.reduce(0) { $0 + $1.key.utf16.count + $1.value.utf16.count }
            if count > 8000 { problems.append("details of \(count)") }
        case .alertmanager: if Arrived(text: text).list.isEmpty { problems.append("no list") }
        case .sms:
            let body = text.split(separator: "&").first { $0.hasPrefix("Body=") }
            let plain = body?.dropFirst(5).replacingOccurrences(of: "+", with: " ").removingPercentEncoding
            check(plain, 306, "body")
        }
        return problems
    }
}
