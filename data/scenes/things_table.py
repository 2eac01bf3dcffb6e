"""The vocabulary of drawable things, one line each.

Line: ``glyph | name | plural | synonyms | natural colour | flags``.  An empty plural means name + "s".
Flags: ``r`` may be recoloured, ``n`` takes no article ("broccoli").  A section starts with
``# habitat : category words``; the habitat says where the thing is drawn when the background
lets it choose: on the ``ground``, in the ``air``, in the ``water``, or ``any`` (held or laid down).
"""

TABLE = """
# ground : animal
🐕 | dog | | hound, doggy | |
🐶 | puppy | puppies | dog, little dog, pup | |
🐩 | poodle | | fancy dog, dog | |
🐈 | cat | | kitty, house cat | |
🐱 | kitten | | kitty, little cat | |
🐎 | horse | | pony | brown |
🐄 | cow | | cattle | |
🐖 | pig | | piggy, hog | pink |
🐑 | sheep | sheep | woolly sheep | white |
🐐 | goat | | billy goat | |
🐪 | camel | | dromedary | |
🦙 | llama | | alpaca | |
🐘 | elephant | | | grey |
🦏 | rhino | | rhinoceros | grey |
🦛 | hippo | | hippopotamus | |
🦒 | giraffe | | | |
🦓 | zebra | | striped horse | |
🦁 | lion | | lion with a mane | |
🐅 | tiger | | big striped cat | orange |
🐆 | leopard | | spotted cat, cheetah | |
🐻 | bear | | brown bear | brown |
🐼 | panda | | panda bear | |
🐨 | koala | | koala bear | grey |
🦘 | kangaroo | | | |
🐒 | monkey | | ape | brown |
🦍 | gorilla | | big ape | |
🐺 | wolf | wolves | grey wolf | |
🦊 | fox | foxes | red fox | orange |
🦝 | raccoon | | | |
🦌 | deer | deer | stag | |
🐇 | rabbit | | bunny, hare | |
🐿️ | squirrel | | chipmunk | |
🦔 | hedgehog | | | |
🐁 | mouse | mice | rat, rodent | |
🦥 | sloth | | | |
🐸 | frog | | toad | green |
🐢 | turtle | | tortoise | green |
🦎 | lizard | | gecko | green |
🐍 | snake | | serpent | green |
🦖 | dinosaur | | t-rex, tyrannosaurus | green |
🐉 | dragon | | | green |
🦄 | unicorn | | magic horse | |
# ground : bird, animal
🐓 | rooster | | cockerel | |
🐔 | chicken | | hen | white |
🐥 | chick | | baby chicken, baby bird | yellow |
🐧 | penguin | | | |
🦢 | swan | | | white |
🦆 | duck | | mallard | |
🦩 | flamingo | | | pink |
🦚 | peacock | | | |
🦃 | turkey | | | |
# air : bird, animal
🐦 | bird | | small bird, songbird | blue | r
🦅 | eagle | | hawk, bird of prey | |
🦉 | owl | | | brown |
🦜 | parrot | | macaw | |
🕊️ | dove | | white bird, pigeon | white |
🦇 | bat | | | |
# air : insect, bug
🦋 | butterfly | butterflies | | | r
🐝 | bee | | honey bee, bumblebee | |
🐞 | ladybird | | ladybug, beetle | red |
# ground : insect, bug
🐜 | ant | | | |
🕷️ | spider | | | black |
🐌 | snail | | slug with a shell | |
🦂 | scorpion | | | |
# water : sea animal, sea creature, animal
🐟 | fish | fish | | blue | r
🐠 | tropical fish | tropical fish | stripy fish, colourful fish, fish | |
🐡 | pufferfish | pufferfish | blowfish | |
🦈 | shark | | great white | |
🐳 | whale | | | blue |
🐬 | dolphin | | | |
🐙 | octopus | octopuses | | | r
🦑 | squid | | | |
🦀 | crab | | | red |
🦞 | lobster | | | red |
🦐 | shrimp | | prawn | |
🐊 | crocodile | | alligator | green |
🐚 | shell | | seashell | |
# any : fruit, food
🍎 | apple | | | red | r
🍌 | banana | | | yellow |
🍊 | orange | | tangerine | |
🍋 | lemon | | | yellow |
🍉 | watermelon | | slice of melon | |
🍇 | grape bunch | grape bunches | bunch of grapes | purple |
🍓 | strawberry | strawberries | berry | red |
🍒 | cherry pair | cherry pairs | pair of cherries | red |
🍑 | peach | peaches | | |
🍍 | pineapple | | | |
🍐 | pear | | | green |
🥥 | coconut | | | |
🥝 | kiwi | | kiwi fruit | |
# any : vegetable, food
🍅 | tomato | tomatoes | | red |
🥕 | carrot | | | orange |
🌽 | corn cob | | ear of corn | |
🥦 | broccoli | broccoli | | green | n
🍄 | mushroom | | toadstool | |
🥔 | potato | potatoes | spud | |
# any : food, snack, meal
🍞 | bread loaf | bread loaves | loaf of bread | |
🧀 | cheese wedge | | piece of cheese | yellow |
🍕 | pizza | | slice of pizza | |
🍔 | hamburger | | burger, cheeseburger | |
🌭 | hot dog | | sausage in a bun | |
🌮 | taco | | | |
🥪 | sandwich | sandwiches | | |
🍣 | sushi piece | | piece of sushi | |
🥚 | egg | | | white |
# any : dessert, sweet treat, food
🍦 | ice cream | | ice cream cone | |
🍩 | doughnut | | donut | |
🍪 | cookie | | biscuit | |
🎂 | birthday cake | | cake, cake with candles | |
🧁 | cupcake | | muffin | |
🍭 | lollipop | | candy | |
# any : drink
☕ | coffee cup | | cup of coffee, hot drink | |
🍷 | wine glass | wine glasses | glass of wine | |
🍺 | beer mug | | mug of beer, beer | |
🥛 | milk glass | milk glasses | glass of milk | white |
# ground : vehicle
🚗 | car | | automobile | red | r
🚕 | taxi | | cab | yellow |
🚌 | bus | buses | coach | | r
🚓 | police car | | cop car | |
🚑 | ambulance | | | |
🚒 | fire engine | | fire truck | red |
🚚 | truck | | lorry, delivery truck | | r
🚜 | tractor | | farm tractor | | r
🏎️ | race car | | racing car, sports car | red | r
🚲 | bicycle | | bike, cycle | | r
🏍️ | motorbike | | motorcycle | | r
🛵 | scooter | | moped | | r
🚂 | train | | steam train, locomotive | |
🚋 | tram | | streetcar | |
# air : aircraft, vehicle
🚁 | helicopter | | chopper | | r
✈️ | plane | | airplane, jet | |
🚀 | rocket | | spaceship, rocket ship | |
🛸 | ufo | | flying saucer, alien spaceship | |
🛰️ | satellite | | space probe | |
# water : boat, vehicle
⛵ | sailboat | | sailing boat, yacht | | r
🚢 | ship | | cruise ship, liner | |
🚤 | speedboat | | motorboat | | r
🛶 | canoe | | kayak, rowing boat | |
# air : toy
🎈 | balloon | | party balloon | red | r
🪁 | kite | | | | r
# any : toy, thing
🧸 | teddy bear | | stuffed bear, teddy | brown | r
🛹 | skateboard | | | |
🎁 | gift box | gift boxes | present, wrapped gift | | r
🎃 | pumpkin | | halloween pumpkin, jack-o-lantern | orange |
🏆 | trophy | trophies | gold cup | |
🎲 | die | dice | game die | |
# any : ball
⚽ | soccer ball | | football | |
🏀 | basketball | | | orange | r
🎾 | tennis ball | | | |
🏈 | american football | | rugby ball | brown |
🏐 | volleyball | | | white |
# any : instrument, musical instrument
🎸 | guitar | | electric guitar | | r
🎺 | trumpet | | horn | |
🎻 | violin | | fiddle | |
🥁 | drum | | snare drum | |
🎹 | piano | | keyboard, piano keys | |
# any : gadget, device
📷 | camera | | photo camera | |
📺 | television | | tv, tv set | |
💻 | laptop | | computer, notebook computer | |
📱 | phone | | mobile phone, smartphone | |
☎️ | telephone | | old telephone | red | r
⏰ | alarm clock | | clock | red | r
⌚ | watch | watches | wristwatch | |
💡 | light bulb | | bulb | |
🔦 | torch | torches | flashlight | |
🔭 | telescope | | | |
🤖 | robot | | android | |
# any : tool, thing
🔑 | key | | | | r
✂️ | scissors | scissors | pair of scissors | |
🔨 | hammer | | | |
✏️ | pencil | | | yellow |
📕 | book | | closed book | red | r
🕯️ | candle | | | |
✉️ | envelope | | letter | white |
🔔 | bell | | golden bell | |
⚓ | anchor | | | |
🧲 | magnet | | horseshoe magnet | |
💎 | diamond gem | | gemstone, jewel | blue | r
💰 | money bag | | bag of money | |
👑 | crown | | golden crown | |
💍 | ring | | diamond ring | |
# any : clothing, clothes
🎩 | top hat | | hat, black hat | black |
👟 | shoe | | sneaker, trainer | | r
👢 | boot | | cowboy boot | | r
👗 | dress | dresses | gown | | r
👕 | t-shirt | | shirt | blue | r
👖 | jeans | jeans | trousers, pants | blue |
👓 | glasses | glasses | spectacles | |
🕶️ | sunglasses | sunglasses | shades | black |
👜 | handbag | | purse, bag | | r
🎒 | backpack | | rucksack, school bag | | r
🧤 | glove pair | | gloves, pair of gloves | | r
☂️ | umbrella | | parasol | purple | r
# ground : furniture
🪑 | chair | | wooden chair | |
🛋️ | couch | couches | sofa | | r
🛏️ | bed | | | |
🚪 | door | | wooden door | |
🛁 | bathtub | | bath | |
🚽 | toilet | | | |
# ground : building
🏠 | house | | home, cottage | |
🏰 | castle | | palace | |
⛪ | church | churches | chapel | |
🎡 | ferris wheel | | big wheel | |
⛺ | tent | | camping tent | | r
# ground : plant
🌳 | tree | | leafy tree | green |
🌲 | pine tree | | fir tree, evergreen tree | green |
🌴 | palm tree | | palm | green |
🌵 | cactus | cacti | | green |
🎄 | christmas tree | | decorated tree | |
🌻 | sunflower | | yellow flower, flower | yellow |
🌹 | rose | | flower | red | r
🌷 | tulip | | flower | | r
🍁 | maple leaf | maple leaves | autumn leaf | red | r
# ground : person
👩 | woman | women | lady, person | |
👨 | man | men | guy, person | |
👧 | girl | | little girl, child | |
👦 | boy | | little boy, child | |
👶 | baby | babies | infant | |
🏃 | runner | | running man, jogger | |
💃 | dancer | | dancing woman, woman in a red dress | |
🚴 | cyclist | | man on a bike, person riding a bicycle | |
🏄 | surfer | | man on a surfboard | |
⛷️ | skier | | person on skis | |
🏂 | snowboarder | | person on a snowboard | |
👮 | police officer | | policeman, cop | |
🎅 | santa | santas | father christmas, santa claus | |
🧙 | wizard | | magician | |
🧜 | mermaid | | merperson | |
🤡 | clown | | clown face | |
👻 | ghost | | spook | white |
👽 | alien | | green alien | |
⛄ | snowman | snowmen | | white |
# air : thing in the sky
☀️ | sun | | bright sun | yellow |
🌙 | moon | | crescent moon | |
⭐ | star | | gold star | yellow | r
🌈 | rainbow | | coloured arch | |
# any : shape
shape:circle | circle | | disc, round shape | | r
shape:square | square | | | | r
shape:triangle | triangle | | | | r
❤️ | heart | | love heart | red | r
shape:cross | cross | crosses | plus sign | | r
"""
