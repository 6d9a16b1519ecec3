import Testing

@testable import Templates

@Test(arguments: [
  ("Ring", "ring"), ("RingLatents", "ring-latents"), ("CSAE", "csae"), ("MyVAEModel", "my-vae-model"), ("VAE2", "vae2"),
  ("L1Ball", "l1-ball"),
])
func partNamesAreTheWordsOfTheName(name: String, part: String) throws {
  #expect(try PluginName(name).partName == part)
}

@Test(arguments: [
  "", "ring", "1Ring", "Ring Latents", "Ring-Latents", "../Ring", "Ring/", "Ring\n", "Ring\"", "Größe", "_Ring",
  String(repeating: "R", count: 65),
])
func namesThatAreNoModulesAreRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.contains("expected up to 64 letters and digits"))
}

@Test(arguments: ["Any", "SELF", "Foundation", "Latentkit", "Loss", "Testing"])
func namesThatWouldHideSomethingAreRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.contains("is taken"))
}

@Test(arguments: ["RingPlugin", "RingTests", "RingNative"])
func anEndThatIsAddedAnywayIsRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.hasSuffix("leave it out: Ring"))
}
