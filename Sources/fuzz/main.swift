import ArgumentParser

Fuzz.main()
