/// Payloads written by Google's protobuf for Python from sparkplug_b.proto of Eclipse Tahu
/// (https://github.com/eclipse-tahu/tahu, sparkplug_b/sparkplug_b.proto): an encoder that knows nothing of ours.
///
/// Group `Plant`, edge node `edge1`, device `pump`; T is 1764000000000 ms.
enum SparkplugVectors {
    /// NBIRTH at T, seq 0, bdSeq 3: `Node Control/Rebirth`, then one metric of each datatype with its number as alias, among them a
    /// data set (16), a template (19), a double with properties (20), a null (21) and an array of Int32 (22).
    static let nodeBirth = bytes(
        """
        0880d0dfb4ab3312120a0562645365711880d0dfb4ab332004580312210a144e6f646520436f6e74726f6c2f526562697274681880d0dfb4ab33200b
        700012150a02693810011880d0dfb4ab33200150fbffffff0f12160a0369313610021880d0dfb4ab33200250d4fdffff0f12160a0369333210031880
        d0dfb4ab3320035090ddfbff0f121b0a0369363410041880d0dfb4ab33200458809ce8afedffffffff0112120a02753810051880d0dfb4ab33200550
        c80112140a0375313610061880d0dfb4ab33200650e0d40312160a0375333210071880d0dfb4ab3320075080d0acf30e12160a0375363410081880d0
        dfb4ab3320085880e497d01212170a05666c6f617410091880d0dfb4ab332009650000c03f121c0a06646f75626c65100a1880d0dfb4ab33200a6900
        000000000002c012130a04666c6167100b1880d0dfb4ab33200b700112180a0474657874100c1880d0dfb4ab33200c7a056772c3bc6e12190a05636c
        6f636b100d1880d0dfb4ab33200d5880d0dfb4ab33121b0a096c6f6e672074657874100e1880d0dfb4ab33200e7a0361206212370a0475756964100f
        1880d0dfb4ab33200f7a2436663063316135652d303030302d343030302d383030302d30303030303030303030303112220a057461626c6510101880
        d0dfb4ab3320108a010d0801120163180322040a02080112160a0372617710111880d0dfb4ab33201182010300ff1012160a0466696c6510121880d0
        dfb4ab332012820102504b12250a056d6f746f7210131880d0dfb4ab3320139201100a013112090a0372706d200350012801123e0a0f776974682070
        726f7065727469657310141880d0dfb4ab33200a42034201644a120a07656e67556e69741207080c4203626172690000000000001e4012160a076e6f
        7468696e6710151880d0dfb4ab332009380112230a0b696e74333220617272617910161880d0dfb4ab33201882010801000000ffffffff1800
        """)
    /// NDATA at T + 1 s, seq 1, aliases only: 1 = -6 (in 8 bits), 3 = -1, 4 = -1, 9 = 0.1, 11 = false, 12 = "", 10 = null.
    static let nodeData = bytes(
        """
        08e8d7dfb4ab331205100150fa011208100350ffffffff0f120d100458ffffffffffffffffff011207100965cdcccc3d1204100b70001204100c7a00
        1204100a38011801
        """)
    /// DBIRTH at T + 2 s, seq 2: Pressure (100, Float) 4.5, Starts (101, Int32) 7, `Device Control/Reboot`.
    static let deviceBirth = bytes(
        """
        08d0dfdfb4ab33121a0a085072657373757265106418d0dfdfb4ab332009650000904012150a06537461727473106518d0dfdfb4ab33200350071224
        0a1544657669636520436f6e74726f6c2f5265626f6f74106618d0dfdfb4ab33200b70001802
        """)
    /// DDATA at T + 5 s, seq 3: Pressure 4.75 at T + 4 s; Starts 8, historical, and Pressure 4.25 at T + 3 s; Starts -9 at the
    /// payload's time.
    static let deviceData = bytes(
        """
        0888f7dfb4ab33120e106418a0efdfb4ab336500009840120d106518b8e7dfb4ab3328015008120e106418b8e7dfb4ab3365000088401208106550f7
        ffffff0f1803
        """)
    /// DDEATH at T + 6 s, seq 4.
    static let deviceDeath = bytes(
        """
        08f0fedfb4ab331804
        """)
    /// NDEATH with bdSeq 3 and no time.
    static let nodeDeath = bytes(
        """
        120b0a05626453657120045803
        """)
    /// NCMD at T: `Node Control/Rebirth` = true.
    static let rebirth = bytes(
        """
        0880d0dfb4ab3312210a144e6f646520436f6e74726f6c2f526562697274681880d0dfb4ab33200b7001
        """)

    private static func bytes(_ hex: String) -> [UInt8] {
        var digits = hex.filter { !$0.isNewline }[...]
        var bytes: [UInt8] = []
        while !digits.isEmpty {
            guard let byte = UInt8(digits.prefix(2), radix: 16) else { preconditionFailure("not hex") }
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        return bytes
    }
}
