/// `spBv1.0/<group>/<message type>/<edge node>[/<device>]` (Sparkplug 3.0, section 4.1).
public struct SparkplugTopic: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case nodeBirth = "NBIRTH"
        case nodeDeath = "NDEATH"
        case nodeData = "NDATA"
        case nodeCommand = "NCMD"
        case deviceBirth = "DBIRTH"
        case deviceDeath = "DDEATH"
        case deviceData = "DDATA"
        case deviceCommand = "DCMD"
        /// Of host applications: says nothing of sensors.
        case state = "STATE"

        var isOfDevice: Bool {
            switch self {
            case .deviceBirth, .deviceDeath, .deviceData, .deviceCommand: true
            default: false
            }
        }
    }

    static let namespace = "spBv1.0/"

    public var kind: Kind
    public var group: String
    public var edgeNode: String
    public var device: String?

    /// Nil for anything else.
    public init?(_ topic: String) {
        guard Self.isOne(topic) else { return nil }
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        if levels.count >= 2, levels[1] == "STATE" {
            self.init(kind: .state, group: "", edgeNode: "")
            return
        }
        guard levels.count >= 4, let kind = Kind(rawValue: String(levels[2])), kind != .state,
            levels.count == (kind.isOfDevice ? 5 : 4), levels.allSatisfy({ !$0.isEmpty })
        else { return nil }
        self.init(
            kind: kind, group: String(levels[1]), edgeNode: String(levels[3]),
            device: kind.isOfDevice ? String(levels[4]) : nil)
    }

    private init(kind: Kind, group: String, edgeNode: String, device: String? = nil) {
        self.kind = kind
        self.group = group
        self.edgeNode = edgeNode
        self.device = device
    }

    static func isOne(_ topic: String) -> Bool { topic.utf8.starts(with: namespace.utf8) }

    /// Where the commands for the edge node go.
    public var commandTopic: String { "\(Self.namespace)\(group)/NCMD/\(edgeNode)" }

    /// The same of the edge node itself.
    var node: SparkplugTopic {
        var node = self
        node.device = nil
        return node
    }

    /// `<group>/<edge node>`, or `<group>/<edge node>/<device>`.
    ///
    /// The group belongs to it: an edge node's name is unique in its group only, and a device's at its edge node
    /// (Sparkplug 3.0, section 4.1; tck-id-topic-structure-namespace-unique-edge-node-descriptor, …-unique-device-id).
    public var sensor: String { "\(group)/\(edgeNode)" + (device.map { "/\($0)" } ?? "") }
}
