extension Input {
    /// A saved state with some of its bytes replaced: so that an input of a few bytes reaches the inside of a state of
    /// many thousand. One byte says how many changes there are; each is a place, a length and the bytes; without a
    /// length, the rest is cut off.
    mutating func changed(_ state: [UInt8]) -> [UInt8] {
        var state = state
        for _ in 0..<byte() % 16 {
            let place = short() % max(state.count, 1)
            let count = Int(byte() % 9)
            let replacement = bytes(count)
            if count == 0 { state.removeLast(state.count - place) }
            for (offset, value) in replacement.enumerated() where place + offset < state.count {
                state[place + offset] = value
            }
        }
        return state
    }

    /// Any number at all, or a plain one.
    mutating func value() -> Double { byte() & 3 == 0 ? double() : Double(short()) / 16 - 100 }

    mutating func values(_ count: Int) -> [Double] { (0..<count).map { _ in value() } }
}
