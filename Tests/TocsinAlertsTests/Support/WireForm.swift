import Crypto
import Foundation
import TocsinAlerts
import TocsinCore

/// What each receiver's documentation says a message looks like.
enum WireForm {
    static func problems(_ kind: AlertChannelKind, _ step: String, _ message: Arrived) -> [String] {
        var problems: [String] = []
        func check(_ isRight: Bool, _ what: String) {
            if !isRight { problems.append("\(what) in \(message.target) \(message.text)") }
        }
        let json = message.json
        let id = "00000000000000a1"
        switch kind {
        case .console:
            check(
                message.text.hasPrefix(
                    ["cleared": "clear  spike", "acknowledged": "note   Acknowledged: spike"][step] ?? "ALARM  "),
                "console line")
        case .file:
            check(json["step"] as? String == step && (json["alarm"] as? [String: Any])?["id"] as? String == id, "line")
        case .kafka:
            check(message.target == id && json["step"] as? String == step, "record")
            check(message.headers["schema"] == "tocsin.alarm/1", "schema header")
        case .webhook:
            check(
                message.target == "POST /hook?key=1" && message.headers["host"]?.hasPrefix("receiver.test:") == true,
                "target")
            check(message.headers["content-type"] == "application/cloudevents+json; charset=UTF-8", "content type")
            let data = json["data"] as? [String: Any]
            check(
                json["specversion"] as? String == "1.0" && json["type"] as? String == "org.tocsin.alarm.\(step)"
                    && json["source"] as? String == "/tocsin/alarms" && json["subject"] as? String == "sensor_1"
                    && json["id"] as? String == message.headers["idempotency-key"], "CloudEvents attributes")
            check(
                data?["step"] as? String == step && (data?["alarm"] as? [String: Any])?["id"] as? String == id, "data")
            let time = message.headers["x-tocsin-timestamp"] ?? ""
            let code = HMAC<SHA256>.authenticationCode(
                for: Data("\(time).\(message.text)".utf8), using: SymmetricKey(data: Data("s3cret".utf8)))
            let hex = code.map { String(format: "%02x", $0) }.joined()
            check(Int(time) != nil && message.headers["x-tocsin-signature"] == "sha256=\(hex)", "signature")
        case .slack:
            let blocks = json["blocks"] as? [[String: Any]] ?? []
            check(blocks.compactMap { $0["type"] as? String } == ["header", "section", "section", "context"], "blocks")
            check((json["text"] as? String)?.contains("spike") == true, "fallback text")
            check(message.text.contains("|Chart and alarm>"), "link")
            let fields = (blocks.count > 2 ? blocks[2]["fields"] as? [[String: Any]] : nil) ?? []
            for label in ["*Where*", "*Since*", "*Why*", "*Zone*"] {
                check(fields.contains { ($0["text"] as? String)?.hasPrefix(label) == true }, label)
            }
        case .teams:
            let attachment = (json["attachments"] as? [[String: Any]])?.first ?? [:]
            let card = attachment["content"] as? [String: Any] ?? [:]
            check(
                json["type"] as? String == "message"
                    && attachment["contentType"] as? String == "application/vnd.microsoft.card.adaptive", "envelope")
            check(
                card["type"] as? String == "AdaptiveCard" && card["version"] as? String == "1.4"
                    && !((card["body"] as? [Any]) ?? []).isEmpty, "card")
            check(((card["actions"] as? [[String: Any]])?.first)?["type"] as? String == "Action.OpenUrl", "action")
        case .discord:
            let embed = (json["embeds"] as? [[String: Any]])?.first ?? [:]
            check(
                (embed["title"] as? String)?.contains("spike") == true && embed["color"] is Int
                    && embed["timestamp"] is String, "embed")
            check(((json["allowed_mentions"] as? [String: Any])?["parse"] as? [Any])?.isEmpty == true, "mentions")
        case .email: problems += mailProblems(step, message)
        case .pagerduty:
            let action = ["cleared": "resolve", "acknowledged": "acknowledge"][step] ?? "trigger"
            check(
                json["routing_key"] as? String == "t0ken" && json["event_action"] as? String == action
                    && json["dedup_key"] as? String == id, "event")
            let payload = json["payload"] as? [String: Any]
            check(
                action != "trigger"
                    || (payload?["summary"] is String && payload?["source"] as? String == "sensor_1"
                        && ["critical", "warning"].contains(payload?["severity"] as? String ?? "")),
                "payload")
        case .opsgenie:
            check(message.headers["authorization"] == "GenieKey t0ken", "authorization")
            let verb = ["cleared": "close", "acknowledged": "acknowledge"][step]
            let path = verb.map { "/base/v2/alerts/tocsin-\(id)/\($0)?identifierType=alias" } ?? "/base/v2/alerts"
            check(message.target == "POST \(path)", "path")
            check(
                verb != nil
                    || (json["alias"] as? String == "tocsin-\(id)" && (json["message"] as? String ?? "").count <= 130
                        && ["P1", "P3"].contains(json["priority"] as? String ?? "")),
                "alert")
        case .alertmanager: problems += alertmanagerProblems(step, message)
        case .sms:
            let form = Dictionary(
                message.text.split(separator: "&").map { pair in
                    let parts = pair.split(separator: "=", maxSplits: 1).map {
                        String($0).replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? ""
                    }
                    return (parts[0], parts.count > 1 ? parts[1] : "")
                }
            ) { first, _ in first }
            check(message.headers["content-type"] == "application/x-www-form-urlencoded", "content type")
            check(
                message.headers["authorization"] == "Basic " + Data("AC123:t0ken".utf8).base64EncodedString(),
                "authorization")
            check(
                form["To"] == "+49301111111" && form["From"] == "+15550100"
                    && (1...306).contains((form["Body"] ?? "").count), "form")
        }
        return problems
    }

    private static func alertmanagerProblems(_ step: String, _ message: Arrived) -> [String] {
        var problems: [String] = []
        let alerts = message.list
        if message.target != "POST /base/api/v2/alerts" { problems.append("path \(message.target)") }
        // An escalation ends the milder alert, whose labels are others.
        if alerts.count != (step == "escalated" ? 2 : 1) { problems.append("\(alerts.count) alerts") }
        for alert in alerts {
            let (labels, start, end) = (
                alert["labels"] as? [String: String], alert["startsAt"] as? String, alert["endsAt"] as? String
            )
            if labels?["alertname"] != "Tocsin_spike" || labels?["alarm_id"] == nil || labels?["severity"] == nil {
                problems.append("labels \(alert)")
            }
            guard let start, let end, let from = Timestamp(iso8601: start), let to = Timestamp(iso8601: end), from <= to
            else {
                problems.append("times \(alert)")
                continue
            }
            let isFiring = to > Sample.start.advanced(by: .seconds(5))
            if isFiring != (step != "cleared" && (alerts.count == 1 || labels?["severity"] == "critical")) {
                problems.append("end \(alert)")
            }
        }
        return problems
    }

    private static func mailProblems(_ step: String, _ message: Arrived) -> [String] {
        var problems: [String] = []
        let lines = message.text.components(separatedBy: "\n")
        func header(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
        if message.target != "shift@plant.example" { problems.append("envelope \(message.target)") }
        let root = "<00000000000000a1.incident@plant.example>"
        if step == "raised" {
            if header("Message-ID") != root || header("References") != nil { problems.append("thread root") }
        } else if header("References") != root || header("In-Reply-To") != root || header("Message-ID") == root {
            problems.append("thread")
        }
        if header("Subject")?.hasSuffix("Tocsin: spike on sensor_1 (temperature)") != true {
            problems.append("subject \(header("Subject") ?? "")")
        }
        if header("From") != "Tocsin <tocsin@plant.example>" || header("Date")?.hasSuffix(" +0000") != true {
            problems.append("from, date")
        }
        if !lines.contains("Content-Type: text/plain; charset=utf-8")
            || !lines.contains("Content-Type: text/html; charset=utf-8")
        {
            problems.append("parts")
        }
        if lines.contains(where: { $0.utf8.count > 998 || $0.utf8.contains { $0 > 126 } }) {
            problems.append("not 7-bit")
        }
        return problems
    }

    /// What marks a message as the same one.
    static func key(_ kind: AlertChannelKind, _ message: Arrived) -> String? {
        switch kind {
        case .email: message.text.components(separatedBy: "\n").first { $0.hasPrefix("Message-ID") }
        default: message.headers["idempotency-key"]
        }
    }

    static func decoded(_ kind: AlertChannelKind, _ text: String) -> String {
        switch kind {
        case .email:
            text.replacingOccurrences(of: "=\n", with: "").replacingOccurrences(of: "=3D", with: "=")
        case .sms: text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? text
        case .slack: text.replacingOccurrences(of: "\u{200B}", with: "")
        case .discord: text.replacingOccurrences(of: "\\\\", with: "")
        default: text
        }
    }

    static func hostileProblems(_ kind: AlertChannelKind, _ text: String) -> [String] {
        var problems: [String] = []
        if text.contains("\u{202E}"), ![.webhook, .file, .kafka].contains(kind), kind != .pagerduty,
            kind != .alertmanager
        {
            problems.append("a mark that turns text around")
        }
        switch kind {
        case .slack:
            // Plain text objects know no mark-up.
            let json = Arrived(text: text).json
            let marked = (json["blocks"] as? [[String: Any]] ?? []).filter { $0["type"] as? String != "header" }
            if "\(marked)".contains("<b>") || (json["text"] as? String ?? "<b>").contains("<b>") {
                problems.append("mark-up in \(text)")
            }
        case .discord:
            if !text.contains("\\\\*") || !text.contains("\\\\[x\\\\]") { problems.append("mark-up in \(text)") }
        case .email:
            let html = decoded(kind, String(text[(text.range(of: "text/html")?.upperBound ?? text.startIndex)...]))
            if html.contains("<b>") || !html.contains("&lt;b&gt;") { problems.append("mark-up in \(html)") }
            if text.components(separatedBy: "\n").contains(where: { $0.hasPrefix("Bcc:") }) {
                problems.append("a header of its own")
            }
        case .console: if text.contains("\n") || text.contains("\r") { problems.append("a line of its own") }
        case .sms: if text.contains("&\"") { problems.append("a field of its own in \(text)") }
        default:
            if (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) == nil {
                problems.append("no JSON: \(text)")
            }
        }
        return problems
    }
}
